// Why alerts come: each cause is what it would be in the world, made as short as it can be.
import { join } from 'node:path';
import { stringify } from 'yaml';
import { CHART } from '#test/chart/chart-files.ts';
import { issueLeaf } from '#controller/serving/certificate.ts';
import { collectorNames } from '#controller/serving/names.ts';
import { CALL, CLINICAL, createApp, runInApp } from './product-apps.ts';
import { GUARDED } from './product-traffic.ts';
import { applyYaml, getObject, kubectl, tryHelm } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const RELEASE = '--namespace=lazaret';
const PARAMETERS = 'policyparameters.lazaret.dev/lazaret-exemptions';
const DAY = 86_400_000;
const OPENAI = 'https://api.openai.com/v1/chat/completions';

/** Agreements that end: in weeks, in days, and in seconds. */
export const ENDING = { month: 'sre-ends-in-weeks', week: 'sre-ends-in-days', now: 'sre-ends-now' } as const;

/** An agreement for one operation. @param end of the contract, ms since 1970 */
export function agreement(name: string, [host, operation]: readonly [string, string], end: number): string {
  const contract = { status: 'signed', ref: 'SRE-1', signedOn: '2026-01-15', expiresOn: new Date(end).toISOString() };
  const match = { hosts: [host], paths: [`POST ${operation}`] };
  const kind = { apiVersion: 'lazaret.dev/v1alpha1', kind: 'ProviderAgreement', metadata: { name } };
  return stringify({ ...kind, spec: { provider: name, product: 'API', match, contract } });
}

/** Makes agreements whose ends come near. */
export async function makeEndingAgreements(): Promise<void> {
  const openai = 'api.openai.com';
  const agreements = [
    agreement(ENDING.month, [openai, '/v1/embeddings'], Date.now() + 20 * DAY),
    agreement(ENDING.week, [openai, '/v1/responses'], Date.now() + 3 * DAY),
    agreement(ENDING.now, [openai, '/v1/chat/completions'], Date.now() + 10_000),
  ];
  await applyYaml(agreements.join('---\n'));
}

/** Takes them away: what they covered is not used any more. */
export async function removeEndingAgreements(): Promise<void> {
  await kubectl(['delete', 'provideragreements', ...Object.values(ENDING), '--ignore-not-found']);
}

/** An application that does not notice that its agreement has ended, and asks on and on. @returns the last refusal */
export function askAfterTheEnd(namespace: string, pod: string): Promise<string> {
  const body = { model: 'gpt-5', messages: [{ role: 'user', content: CLINICAL }] };
  const script = `${CALL}
    const body = ${JSON.stringify(body)};
    let last = '';
    let refused = 0;
    for (let asked = 0; asked < 600 && refused < 80; asked++) {
      const { status, text } = await call('${OPENAI}', body);
      if (text.includes('agreement_expired')) refused++;
      last = status + ' ' + text;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    console.log(JSON.stringify(last));
  `;
  return runInApp(namespace, pod, script);
}

/** Labels a namespace after its PHI-bearing pod was made. */
export async function leavePodUnguarded(namespace: string): Promise<void> {
  await createApp(namespace, 'older');
  await kubectl(['label', 'namespace', namespace, `lazaret.dev/guard=${GUARDED['lazaret.dev/guard']}`]);
}

/** Takes the pod away. */
export async function removeUnguarded(namespace: string): Promise<void> {
  await kubectl(['delete', 'pod', 'older', `--namespace=${namespace}`, '--grace-period=0', '--force']);
}

const LISTS = 'sre-lists';

/** Gives the release lists that are none, or none again. */
export async function setSpoiltLists(on: boolean): Promise<void> {
  if (on)
    await applyYaml(
      stringify({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: LISTS, namespace: 'lazaret' },
        stringData: { 'patients.table': 'an export of the wrong program', key: 'A'.repeat(43) },
      }),
    );
  const lists = ['--set-json', `lists.secrets=${JSON.stringify(on ? [LISTS] : [])}`];
  const wait = ['--wait', '--timeout=180s'];
  const { status, stderr } = await tryHelm(['upgrade', 'lazaret', CHART, RELEASE, '--reuse-values', ...lists, ...wait]);
  if (status !== 0) throw new Error(stderr);
  if (!on) await kubectl(['delete', 'secret', LISTS, RELEASE, '--ignore-not-found']);
}

/** Makes the release an evaluation, or one with keys of its own again. @param keys the folder of `lazaret keys init` */
export async function setEvaluation(on: boolean, keys: string): Promise<void> {
  const own = ['--set-file', `audit.recipients=${join(keys, 'recipients.public.jwks')}`];
  const given = on ? ['--set', 'evaluation=true,audit.recipients='] : ['--set', 'evaluation=false', ...own];
  const { status, stderr } = await tryHelm(['upgrade', 'lazaret', CHART, RELEASE, '--reuse-values', ...given]);
  if (status !== 0) throw new Error(stderr);
}

/** Scales a workload of the release and waits for the end or the readiness of its pods. */
export async function scale(workload: string, replicas: number): Promise<void> {
  await kubectl(['scale', workload, RELEASE, `--replicas=${replicas}`]);
  if (replicas > 0) {
    await kubectl(['rollout', 'status', workload, RELEASE, '--timeout=120s']);
    return;
  }
  const component = workload.split('-').at(-1);
  const pods = ['get', 'pods', RELEASE, `--selector=app.kubernetes.io/component=${component}`, '--output=name'];
  await waitFor(`the end of ${workload}`, async () => ((await kubectl(pods)).trim() === '' ? true : null), 90);
}

/** Gives the collector a certificate of the release's authority with less than a day to live, as nobody renewed it for weeks. */
export async function shortenCollectorCertificate(): Promise<void> {
  const data = async (name: string): Promise<Readonly<Record<string, string>>> => {
    const secret = await getObject([`secret/${name}`, RELEASE]);
    const entries = Object.entries(secret['data'] as Readonly<Record<string, string>>);
    return Object.fromEntries(entries.map(([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')]));
  };
  const { 'ca.crt': certificate = '', 'ca.key': key = '' } = await data('lazaret-authority');
  const names = collectorNames('lazaret', 'lazaret');
  const leaf = await issueLeaf({ certificate, key }, { names, now: Date.now(), lifetimeMs: 20 * 3_600_000 });
  const stringData = { 'tls.crt': leaf.certificate, 'tls.key': leaf.key };
  await kubectl(['patch', 'secret/lazaret-collector-tls', RELEASE, '--patch', JSON.stringify({ stringData })]);
}

/** Exchanges of megabytes, whose records take the spool. @returns their statuses */
export function recordMuch(namespace: string, pod: string): Promise<readonly number[]> {
  const script = `${CALL}
    const content = 'The patient slept well and asks for nothing. '.repeat(45_000);
    const statuses = [];
    for (let count = 0; count < 3; count++)
      statuses.push((await call(MESSAGES, { model: 'claude-sonnet-4-5', max_tokens: 100, messages: [{ role: 'user', content }] })).status);
    console.log(JSON.stringify(statuses));
  `;
  return runInApp(namespace, pod, script);
}

/** Something writes over what the admission policies know of the release. */
export async function spoilParameters(): Promise<void> {
  const patch = JSON.stringify({ data: { '_sidecar-image.current': 'registry.example.org/lazaret/sidecar:0.0.1' } });
  await kubectl(['patch', PARAMETERS, RELEASE, '--type=merge', '--patch', patch]);
}

/** Something removes it. */
export async function removeParameters(): Promise<void> {
  await kubectl(['delete', PARAMETERS, RELEASE]);
}
