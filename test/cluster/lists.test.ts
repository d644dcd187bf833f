import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { doctor } from '#cli/doctor.ts';
import { CHART } from '#test/chart/chart-files.ts';
import { terminal } from '#test/sidecar/audit/rig.ts';
import { type AppCall, type CallingApp, startCallingApp } from './calling-app.ts';
import { installProduct, type Product } from './install.ts';
import { logsOf, runInApp } from './product-apps.ts';
import { GUARDED } from './product-traffic.ts';
import { runCommand } from './run-command.ts';
import { applyYaml, deleteNamespace, kubectl, makeNamespace, PLACE, tryHelm } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const RELEASE = '--namespace=lazaret';
const CONTROLLERS = '--selector=app.kubernetes.io/component=controller';
/** Names of ordinary words: nothing in a text says that they are persons. */
const [FIRST, SECOND] = ['Silent Garden', 'Copper Window'];
const text = (name: string): string => `we looked again at ${name} this morning`;

const AGREEMENT = {
  apiVersion: 'lazaret.dev/v1alpha1',
  kind: 'ProviderAgreement',
  metadata: { name: 'lists' },
  spec: {
    provider: 'Anthropic',
    product: 'Claude API',
    match: { hosts: ['api.anthropic.com'], paths: ['POST /v1/messages'] },
    contract: { status: 'signed', ref: 'BAA-TEST-9', signedOn: '2026-01-15', expiresOn: '2099-01-14' },
  },
};

let product: Product;
let clinic = '';
let app: CallingApp;
let dir = '';

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lazaret-lists-'));
  product = await installProduct();
  clinic = await makeNamespace(GUARDED);
  await waitFor('the webhook of agreements', async () => (await applyYaml(stringify(AGREEMENT)), true as const), 120);
  app = await startCallingApp(clinic, 'client');
  await waitFor('the first answer', async () => ((await send(FIRST)).answer.status === 200 ? true : null), 60);
});
afterAll(async () => {
  await kubectl(['delete', 'secret', 'lazaret-lists', RELEASE, '--ignore-not-found']);
  await kubectl(['delete', 'provideragreement', 'lists', '--ignore-not-found', '--timeout=60s']);
  await deleteNamespace(clinic);
  await product.leave();
  await rm(dir, { recursive: true });
});

/** Sends a text with a name. @returns the answer, and what the provider read */
async function send(name: string, by = app): Promise<{ readonly answer: AppCall; readonly read: string }> {
  const before = product.provider.received.length;
  const answer = await by.call({ body: { messages: [{ role: 'user', content: text(name) }] } });
  const read = product.provider.received
    .slice(before)
    .map(({ body }) => body.toString('utf8'))
    .join('');
  return { answer, read };
}

/** Makes a table of persons as an operator does, and puts it into the Secret. */
async function putLists(
  persons: readonly string[],
  spoil: (table: Buffer) => Buffer = (table) => table,
): Promise<void> {
  const [list, key, table] = ['persons.txt', 'lists.key', 'lists.table'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(list, `${persons.join('\n')}\n`);
  const words = ['lists', 'build', list, '--as', 'patients', '--key', key, '--out', table];
  await runCommand(['sh', 'cli/launch.sh', 'cli/main.ts', ...words], { cwd: join(CHART, '../..') });
  await writeFile(table, spoil(await readFile(table)));
  const files = [`--from-file=patients.table=${table}`, `--from-file=key=${key}`];
  const secret = ['create', 'secret', 'generic', 'lazaret-lists', RELEASE, ...files, '--dry-run=client'];
  await applyYaml(await kubectl([...secret, '--output=json']));
  // A kubelet looks at the Secrets of a pod each minute, and at once when the pod changes.
  await kubectl(['annotate', 'pods', RELEASE, CONTROLLERS, `looked-at=${Date.now()}`, '--overwrite']);
}

async function upgrade(lists: string): Promise<void> {
  const value = ['--set-json', `lists.secrets=${lists}`];
  const args = ['upgrade', 'lazaret', CHART, RELEASE, '--reset-then-reuse-values', ...value];
  const { status, stderr } = await tryHelm([...args, '--wait', '--timeout=180s']);
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
}

/** A listed name leaves as a surrogate and comes back. */
async function isRedacted(name: string, by = app): Promise<true | null> {
  const { answer, read } = await send(name, by);
  if (answer.status !== 200 || read.includes(name)) return null;
  expect(answer.text).toContain(name);
  return true;
}

async function passes(name: string): Promise<true | null> {
  const { answer, read } = await send(name);
  return answer.status === 200 && read.includes(name) ? true : null;
}

it('without lists nothing tells a name of ordinary words from other words', async () => {
  expect(await passes(FIRST)).toBe(true);
});

it('lists that a release is given reach a pod that runs', { timeout: 300_000 }, async () => {
  await putLists([FIRST]);
  const calls = await app.callAllTheWhile(async () => {
    await upgrade('["lazaret-lists"]');
    await waitFor(`${FIRST} to be redacted`, () => isRedacted(FIRST), 120);
  });
  const refused = calls.filter(({ status }) => status !== 200);
  process.stderr.write(`lists: ${refused.length} of ${calls.length} calls were refused when lists were switched on\n`);
  for (const { reason } of refused) expect(reason).toBe('detector_failed');
  expect(await passes(SECOND)).toBe(true);
  expect(await logsOf(clinic, 'pod/client', 'lazaret-sidecar')).toMatch(/"entities":\{"name":1\}.*lists in force/);
});

it('a pod that starts has them before its application calls', async () => {
  const late = await startCallingApp(clinic, 'late');
  const { answer, read } = await send(FIRST, late);
  expect(answer.status).toBe(200);
  expect(read).toContain('we looked again at NAME_');
});

it('nothing of them lies in the namespace of the pod, and the application gets none from the controller', async () => {
  const names = ['get', 'secrets,configmaps', `--namespace=${clinic}`, '--output=jsonpath={.items[*].metadata.name}'];
  expect((await kubectl(names)).split(' ').filter((name) => name !== 'kube-root-ca.crt')).toEqual([]);
  const script = `
    import { readFileSync } from 'node:fs';
    import { get } from 'node:https';
    const token = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8');
    const ask = (headers) => new Promise((resolve, reject) => {
      const options = { host: 'lazaret-controller.lazaret.svc', port: 8444, path: '/v1/lists/' + 'x'.repeat(43), headers };
      get({ ...options, rejectUnauthorized: false }, (answer) => resolve(answer.resume().statusCode)).on('error', reject);
    });
    console.log(JSON.stringify([await ask({}), await ask({ authorization: 'Bearer ' + token })]));
  `;
  expect(await runInApp(clinic, 'client', script)).toEqual([401, 401]);
});

it('a list that is replaced reaches a pod that runs, and no call is refused meanwhile', {
  timeout: 300_000,
}, async () => {
  const calls = await app.callAllTheWhile(async () => {
    await putLists([SECOND]);
    await waitFor(`${SECOND} to be redacted`, () => isRedacted(SECOND), 200);
  });
  expect(calls.filter(({ status }) => status !== 200)).toEqual([]);
  expect(await passes(FIRST)).toBe(true);
});

it('a table that is damaged refuses every exchange, and says which; a good one mends it', {
  timeout: 500_000,
}, async () => {
  await putLists([SECOND], (table) => table.subarray(0, -9));
  const isRefused = async (): Promise<AppCall | null> => {
    const { answer } = await send(SECOND);
    return answer.status === 503 ? answer : null;
  };
  const { reason } = await waitFor('a refusal', isRefused, 200);
  expect(reason).toBe('detector_failed');
  const sentence = /lazaret-lists\/patients\.table is cut off/;
  expect(await logsOf(clinic, 'pod/client', 'lazaret-sidecar')).toMatch(sentence);
  await waitFor(
    'both controllers to say so',
    async () => {
      const logs = await kubectl(['logs', RELEASE, CONTROLLERS, '--tail=-1', '--prefix']);
      const saying = logs.split('\n').filter((line) => sentence.test(line));
      return new Set(saying.map((line) => line.split(' ')[0])).size >= 2 ? true : null;
    },
    120,
  );
  process.env['KUBECONFIG'] = PLACE.kubeconfig;
  const io = terminal();
  expect(await doctor([], io)).toBe(1);
  expect(io.out.join('')).toMatch(/BROKEN controller +the lists of the release cannot be used/);
  await putLists([SECOND]);
  await waitFor(`${SECOND} to be redacted again`, () => isRedacted(SECOND), 200);
});

it('lists that a release has no more end in a pod that runs', { timeout: 300_000 }, async () => {
  await upgrade('[]');
  await waitFor(`${SECOND} to pass`, () => passes(SECOND), 120);
});
