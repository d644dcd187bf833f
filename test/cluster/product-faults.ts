import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doctor } from '#cli/doctor.ts';
import { terminal } from '#test/sidecar/audit/rig.ts';
import type { Product } from './install.ts';
import {
  appSpec,
  type CallResult,
  callProvider,
  callUntil,
  CLINICAL,
  createApp,
  PHI,
  startApp,
} from './product-apps.ts';
import { listRecords, verifyEvidence, waitForExpected } from './product-evidence.ts';
import { GUARDED } from './product-traffic.ts';
import { applyYaml, deleteNamespace, getObject, kubectl, makeNamespace, PLACE, tryKubectl } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

/** Two seconds are promised; the bound leaves room for a machine that does other things. */
const REVOKED_MS = 5_000;

const RELEASE = '--namespace=lazaret';
const USER = 'developer@clinic.example';

/** What breaks, what is taken away, and what people with a namespace's rights try. */
export function testFaults(product: () => Product): void {
  describe('with a guarded pod that works', () => {
    let clinic = '';

    beforeAll(async () => {
      clinic = await makeNamespace(GUARDED);
      await startApp(clinic, 'client');
      expect(await callProvider(clinic, 'client')).toMatchObject({ status: 200 });
    });
    afterAll(() => deleteNamespace(clinic));

    it('an agreement that is deleted refuses the next request within seconds, and one that is made lets it pass', async () => {
      const agreement = await kubectl(['get', 'agreement/anthropic-api', '--output=json']);
      const refused = callUntil(clinic, 'client', 403);
      await kubectl(['delete', 'agreement/anthropic-api', '--wait=false']);
      const deletedAt = Date.now();
      const { at, text } = await refused;
      print(`an agreement's end reached a pod in ${at - deletedAt} ms after kubectl`);
      expect(text).toContain('agreement_missing');
      expect(at - deletedAt).toBeLessThan(REVOKED_MS);

      const { spec } = JSON.parse(agreement) as { readonly spec: object };
      const kind = { apiVersion: 'lazaret.dev/v1alpha1', kind: 'ProviderAgreement' };
      const served = callUntil(clinic, 'client', 200);
      await applyYaml(JSON.stringify({ ...kind, metadata: { name: 'anthropic-api' }, spec }));
      const appliedAt = Date.now();
      const { at: servedAt } = await served;
      print(`a new agreement reached a pod in ${servedAt - appliedAt} ms after kubectl`);
      expect(servedAt - appliedAt).toBeLessThan(REVOKED_MS);
    });

    it('a killed sidecar refuses until the kubelet has started it again', async () => {
      const failed = callUntil(clinic, 'client', 0);
      await killSidecar(clinic, 'client');
      expect(await failed).toMatchObject({ text: expect.stringMatching(/ECONNREFUSED|ECONNRESET|socket|closed/i) });
      const { before, text } = await callUntil(clinic, 'client', 200);
      expect(text).toContain(CLINICAL);
      print(`a killed sidecar: ${before} calls failed before it served again`);
      const { status } = (await getObject(['pod/client', `--namespace=${clinic}`])) as unknown as PodStatus;
      expect(status.initContainerStatuses.find(({ name }) => name === 'lazaret-sidecar')?.restartCount).toBe(1);
    });

    it('the PHI label cannot be taken from a running pod, nor the guard’s from its namespace', async () => {
      const rights = `${clinic}-editor`;
      await kubectl(['create', 'clusterrole', rights, '--verb=get,patch,update', '--resource=namespaces,pods']);
      await kubectl(['create', 'clusterrolebinding', rights, `--clusterrole=${rights}`, `--user=${USER}`]);
      try {
        const edit = (...args: readonly string[]) => tryKubectl(['label', ...args, '--overwrite', `--as=${USER}`]);
        const inClinic = `--namespace=${clinic}`;
        expect((await edit('pod', 'client', inClinic, 'lazaret.dev/phi-')).stderr).toMatch(/B-10/);
        expect((await edit('pod', 'client', inClinic, 'lazaret.dev/phi=false')).stderr).toMatch(/B-10/);
        expect((await edit('namespace', clinic, 'lazaret.dev/guard-')).stderr).toMatch(/B-11/);
        expect((await edit('namespace', clinic, 'lazaret.dev/guard=none')).stderr).toMatch(/lazaret\.dev\/guard/);
        expect((await edit('namespace', clinic, 'team=oncology')).status).toBe(0);
      } finally {
        await kubectl(['delete', `clusterrole/${rights}`, `clusterrolebinding/${rights}`]);
      }
    });

    it('no controller: what runs goes on, a PHI-bearing pod is denied, others are not, and the doctor says why', {
      timeout: 300_000,
    }, async () => {
      const open = await makeNamespace();
      try {
        await scale('deployment/lazaret-controller', 0);
        expect(await callProvider(clinic, 'client')).toMatchObject({ status: 200 });
        await expect(createApp(clinic, 'denied')).rejects.toThrow(/lazaret/);
        await createApp(clinic, 'not-phi', { labels: {} });
        await createApp(open, 'elsewhere', { labels: {} });
        const { code, said } = await askDoctor();
        expect(code).toBe(1);
        expect(said).toMatch(/controller.*no PHI-bearing pod can be created/);
      } finally {
        await scale('deployment/lazaret-controller', 2);
        await deleteNamespace(open);
      }
      await waitForWebhook(clinic);
      await startApp(clinic, 'after', { labels: PHI });
      expect(await callProvider(clinic, 'after')).toMatchObject({ status: 200 });
    });

    it('no collector: nothing is refused meanwhile, and afterwards nothing is missing', {
      timeout: 400_000,
    }, async () => {
      await scale('statefulset/lazaret-collector', 0);
      const calls: CallResult[] = [];
      try {
        for (let call = 0; call < 10; call++) calls.push(await callProvider(clinic, 'client'));
        expect((await askDoctor()).said).toMatch(/BROKEN collector/);
      } finally {
        await scale('statefulset/lazaret-collector', 1);
      }
      expect(calls.map(({ status }) => status)).toEqual(calls.map(() => 200));
      const ended = async (): Promise<true | null> => {
        const records = await listRecords(product());
        const ids = new Set(records.filter(({ stage }) => stage === 'response').map(({ id }) => id));
        return calls.every(({ exchange }) => ids.has(exchange)) ? true : null;
      };
      await waitFor('the answer to every call in the store', ended, 120);
      await waitForExpected(product(), [`${clinic}/client`, `${clinic}/after`]);
      const { code, findings } = await verifyEvidence(product());
      for (const finding of findings) print(`audit verify: ${JSON.stringify(finding)}`);
      expect(code).toBe(0);
    });
  });
}

interface PodStatus {
  readonly status: {
    readonly initContainerStatuses: readonly {
      readonly name: string;
      readonly restartCount: number;
      readonly containerID: string;
    }[];
  };
}

function print(line: string): void {
  process.stderr.write(`product: ${line}\n`);
}

/** Kills the guard of a pod from the node, as an out-of-memory kill would. */
async function killSidecar(namespace: string, pod: string): Promise<void> {
  const { status } = (await getObject([`pod/${pod}`, `--namespace=${namespace}`])) as unknown as PodStatus;
  const sidecar = status.initContainerStatuses.find(({ name }) => name === 'lazaret-sidecar');
  const id = sidecar?.containerID.replace('containerd://', '') ?? 'none';
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && cgroupOf(name).includes(id));
  if (pids.length === 0) throw new Error(`the sidecar of ${pod} has no process on the node`);
  for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
}

function cgroupOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    // It ended in between.
    return '';
  }
}

/** Scales a workload of the release and waits until it is so. */
async function scale(workload: string, replicas: number): Promise<void> {
  await kubectl(['scale', workload, RELEASE, `--replicas=${replicas}`]);
  if (replicas > 0) {
    await kubectl(['rollout', 'status', workload, RELEASE, '--timeout=120s']);
    return;
  }
  const component = workload.split('-').at(-1);
  const pods = ['get', 'pods', RELEASE, `--selector=app.kubernetes.io/component=${component}`, '--output=name'];
  await waitFor(`the end of ${workload}`, async () => ((await kubectl(pods)).trim() === '' ? true : null), 120);
}

/** A node leads a Service to a new replica a moment after the replica is ready; a workload's controller would try again. */
async function waitForWebhook(namespace: string): Promise<void> {
  const metadata = { namespace, generateName: 'asked-', labels: PHI };
  const pod = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec: appSpec() });
  const asked = async (): Promise<true | null> => {
    const { status, stderr } = await tryKubectl(['create', '--dry-run=server', '--filename=-'], { input: pod });
    if (status !== 0) throw new Error(stderr);
    return true;
  };
  await waitFor('the webhook to answer', asked, 120);
}

async function askDoctor(): Promise<{ readonly code: number; readonly said: string }> {
  process.env['KUBECONFIG'] = PLACE.kubeconfig;
  const io = terminal();
  const code = await doctor([], io);
  return { code, said: io.out.join('') };
}
