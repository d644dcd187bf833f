import { Agent } from 'node:https';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { sleep } from '#controller/cluster/backoff.ts';
import { type FakeApi, startFakeApi } from '#test/fake/api-server.ts';
import { makeTestAuthority } from '#test/fake/test-authority.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyPatch, makePod } from './admission/fixture.ts';
import {
  caBundle,
  callHook,
  HOOKS,
  installRelease,
  podReview,
  type Replica,
  secretText,
  startReplica,
  VALUES,
} from './replica.ts';

let fake: FakeApi;
let started: Replica[];

beforeEach(async () => {
  fake = await startFakeApi();
  started = [];
});

afterEach(async () => {
  await Promise.all(started.map(({ controller }) => controller.close()));
  await fake.close();
});

async function start(environment: Readonly<Record<string, string>> = {}): Promise<Replica> {
  const replica = await startReplica(fake, environment);
  started.push(replica);
  return replica;
}

async function ready(environment: Readonly<Record<string, string>> = {}): Promise<Replica> {
  const replica = await start(environment);
  await vi.waitFor(() => expect(replica.controller.unready()).toEqual([]), 20_000);
  return replica;
}

function ask({ controller }: Replica, path: string, body: unknown, agent?: Agent) {
  const target = { port: controller.webhookPort, path, ca: caBundle(fake) };
  return callHook(agent === undefined ? target : { ...target, agent }, body);
}

async function inject(replica: Replica, pod: unknown, request: Readonly<Record<string, unknown>> = {}) {
  const { body } = await ask(replica, '/mutate', podReview(pod, request));
  return applyPatch(pod, JSON.parse(Buffer.from(body.response?.patch ?? 'W10=', 'base64').toString()) as never);
}

describe('the controller', () => {
  it('is not ready and decides nothing before it has read the cluster, its keys and its configuration', async () => {
    const replica = await start();
    await vi.waitFor(
      () => expect(fake.get('/api/v1/namespaces/lazaret/secrets/lazaret-authority')).toBeDefined(),
      20_000,
    );
    expect(replica.controller.unready()).toContain('configuration');
    const ca = secretText(fake, 'lazaret-authority', 'ca.crt');
    await vi.waitFor(async () => {
      const answer = await callHook(
        { port: replica.controller.webhookPort, path: '/mutate', ca },
        podReview(makePod()),
      );
      expect(answer.status).toBe(503);
    }, 20_000);
    installRelease(fake);
    await vi.waitFor(() => expect(replica.controller.unready()).toEqual([]), 20_000);
    await vi.waitFor(() => expect(caBundle(fake)).not.toBe(''), 20_000);
    expect((await ask(replica, '/mutate', podReview(makePod()))).body.response?.allowed).toBe(true);
  });

  it('injects a pod that the validating webhook then accepts, on another replica too', async () => {
    installRelease(fake);
    const [a, b] = await Promise.all([ready({ LAZARET_POD_NAME: 'a' }), ready({ LAZARET_POD_NAME: 'b' })]);
    const pod = await inject(a, makePod());
    for (const replica of [a, b]) {
      expect((await ask(replica, '/validate', podReview(pod))).body.response).toMatchObject({ allowed: true });
      expect((await ask(replica, '/mutate', podReview(pod))).body.response?.patch).toBeUndefined();
    }
    expect((await ask(a, '/validate', podReview(makePod()))).body.response?.allowed).toBe(false);
  });

  it('answers each decision with one log line and one count, and says nothing of the object', async () => {
    installRelease(fake);
    const replica = await ready();
    const secret = makePod(
      { hostNetwork: true },
      { env: [{ name: 'PATIENT', value: 'Maria Gonzalez' }], image: 'registry.example/gonzalez:1' },
    );
    await ask(replica, '/mutate', podReview(secret));
    await ask(replica, '/mutate', podReview(makePod(), { dryRun: true }));
    await ask(replica, '/mutate', podReview({ metadata: {}, spec: { containers: [] } }));
    const lines = replica.lines.filter(({ msg }) => msg === 'admission');
    expect(lines.map(({ decision, dryRun }) => [decision, dryRun])).toEqual([
      ['denied', false],
      ['injected', true],
      ['not-ours', false],
    ]);
    expect(lines[0]).toMatchObject({
      webhook: 'mutate',
      namespace: 'phi',
      resource: 'pods',
      operation: 'CREATE',
      rules: expect.arrayContaining(['B-06']) as unknown,
    });
    expect(JSON.stringify(replica.lines)).not.toMatch(/gonzalez|PATIENT/i);
    const metrics = await replica.metrics();
    expect(metrics).toContain('lazaret_admissions_total{decision="denied",rule="B-06"} 1');
    expect(metrics).toContain('lazaret_admissions_total{decision="not-ours",rule="none"} 1');
    expect(metrics).toContain('lazaret_admission_dry_runs_total{decision="injected"} 1');
    expect(metrics).not.toContain('decision="injected",rule');
    expect(metrics).toMatch(/lazaret_certificate_expiry_seconds\{certificate="serving"\} 60\d{4}/);
    expect(metrics).toContain('lazaret_build_info{version="0.0.0-test",program="lazaret-controller"} 1');
  });

  it('counts guarded pods and PHI-bearing pods without a guard, and forgets those that ended', async () => {
    installRelease(fake);
    const replica = await ready();
    const guarded = (await inject(replica, makePod())) as { metadata: object; spec: object };
    fake.put('/api/v1/namespaces/phi/pods/guarded', {
      metadata: guarded.metadata as Record<string, unknown>,
      spec: guarded.spec,
      status: { phase: 'Running' },
    });
    const bare = (phase: string) => ({
      metadata: { labels: { 'lazaret.dev/phi': 'true' } },
      spec: { containers: [] },
      status: { phase },
    });
    fake.put('/api/v1/namespaces/phi/pods/bare', bare('Running'));
    fake.put('/api/v1/namespaces/phi/pods/done', bare('Succeeded'));
    fake.put('/api/v1/namespaces/phi/pods/other', {
      metadata: {},
      spec: { containers: [] },
      status: { phase: 'Running' },
    });
    fake.put('/api/v1/namespaces/lazaret/pods/own', bare('Running'));
    await vi.waitFor(async () => {
      const metrics = await replica.metrics();
      expect(metrics).toContain('lazaret_unguarded_phi_pods{namespace="phi"} 1');
      expect(metrics).not.toContain('lazaret_unguarded_phi_pods{namespace="lazaret"}');
    }, 20_000);
    fake.remove('/api/v1/namespaces/phi/pods/bare');
    await vi.waitFor(
      async () => expect(await replica.metrics()).toContain('lazaret_unguarded_phi_pods{namespace="phi"} 0'),
      20_000,
    );
  });

  it('waits for a namespace that the watch has not shown yet, and denies with a remedy when it does not come', async () => {
    installRelease(fake);
    const replica = await ready();
    const release = fake.holdEvents('api/v1 namespaces');
    const pod = makePod({});
    pod.metadata.namespace = 'fresh';
    const denied = await ask(replica, '/mutate', podReview(pod, { namespace: 'fresh' }));
    expect(denied.status).toBe(200);
    expect(denied.body.response).toMatchObject({
      allowed: false,
      status: { code: 500, message: expect.stringContaining('Try again') as unknown },
    });
    const pending = ask(replica, '/mutate', podReview(pod, { namespace: 'fresh' }));
    fake.put('/api/v1/namespaces/fresh', { metadata: { labels: { 'lazaret.dev/guard': 'labelled' } } });
    release();
    expect((await pending).body.response?.patch).toBeDefined();
  });

  it('does not take a namespace for one that opted out while the watch has not shown its new label', async () => {
    installRelease(fake);
    fake.put('/api/v1/namespaces/late', { metadata: {} });
    const replica = await ready();
    const release = fake.holdEvents('api/v1 namespaces');
    const pod = makePod({});
    pod.metadata.namespace = 'late';
    const pending = ask(replica, '/mutate', podReview(pod, { namespace: 'late' }));
    fake.put('/api/v1/namespaces/late', { metadata: { labels: { 'lazaret.dev/guard': 'labelled' } } });
    release();
    expect((await pending).body.response?.patch).toBeDefined();
  });

  it('accepts, while a configuration changes, pods that another replica injected under the one before or the next', async () => {
    installRelease(fake);
    const [ahead, behind] = await Promise.all([ready({ LAZARET_POD_NAME: 'a' }), ready({ LAZARET_POD_NAME: 'b' })]);
    const old = await inject(ahead, makePod());
    fake.put(VALUES, { metadata: {}, data: { 'values.yaml': 'sidecar: {logLevel: debug}\n' } });
    let fresh: unknown = old;
    await vi.waitFor(async () => {
      fresh = await inject(ahead, makePod());
      expect(JSON.stringify(fresh)).toContain('"debug"');
    }, 20_000);
    for (const replica of [ahead, behind])
      for (const pod of [old, fresh])
        expect((await ask(replica, '/validate', podReview(pod))).body.response).toMatchObject({ allowed: true });
  });

  it('waits with its verdict for a configuration that a pod carries and the watch has not shown yet', async () => {
    installRelease(fake);
    const [ahead] = [await ready({ LAZARET_POD_NAME: 'a' })];
    const other = await startFakeApi();
    try {
      // The other API server is the same cluster seen a moment ago.
      for (const path of [
        '/api/v1/namespaces/lazaret/secrets/lazaret-keys',
        '/api/v1/namespaces/lazaret/secrets/lazaret-authority',
        VALUES,
        '/api/v1/namespaces/phi',
        '/api/v1/namespaces/kube-system/services/kube-dns',
      ])
        other.put(path, fake.get(path)!);
      const behind = await startReplica(other);
      await vi.waitFor(() => expect(behind.controller.unready()).toEqual([]), 20_000);
      const change = { metadata: {}, data: { 'values.yaml': 'sidecar: {logLevel: debug}\n' } };
      fake.put(VALUES, change);
      let pod: unknown;
      await vi.waitFor(async () => {
        pod = await inject(ahead, makePod());
        expect(JSON.stringify(pod)).toContain('"debug"');
      }, 20_000);
      const pending = callHook(
        { port: behind.controller.webhookPort, path: '/validate', ca: caBundle(fake) },
        podReview(pod),
      );
      await vi.waitFor(() => expect(other.calls).toContain(`GET ${HOOKS[0]}`), 20_000);
      other.put(VALUES, change);
      expect((await pending).body.response).toMatchObject({ allowed: true });
      await behind.controller.close();
    } finally {
      await other.close();
    }
  });

  it('keeps the configuration that was good when the next one is not, and says what is wrong with it', async () => {
    installRelease(fake);
    const replica = await ready();
    fake.put(VALUES, { metadata: {}, data: { 'values.yaml': 'sidecar: {logLevel: loud}\n' } });
    await vi.waitFor(() => expect(JSON.stringify(replica.lines)).toContain('values.sidecar.logLevel'), 20_000);
    expect((await ask(replica, '/mutate', podReview(makePod()))).body.response?.patch).toBeDefined();
  });

  it('makes audit keys for an evaluation, uses them, and says so in a metric', async () => {
    installRelease(fake, 'evaluation: true\n');
    const replica = await ready();
    const set = JSON.parse(secretText(fake, 'lazaret-evaluation-audit-key', 'recipients.public.jwks')) as {
      keys: { kid: string }[];
    };
    const pod = JSON.stringify(await inject(replica, makePod()));
    for (const { kid } of set.keys) expect(pod).toContain(kid);
    expect(pod).not.toContain('\\"d\\":');
    expect(await replica.metrics()).toContain('lazaret_evaluation 1');
  });

  it('refuses what is no review: another path, method, size or syntax', async () => {
    installRelease(fake);
    const replica = await ready();
    const target = { port: replica.controller.webhookPort, ca: caBundle(fake) };
    expect((await callHook({ ...target, path: '/other' }, {})).status).toBe(404);
    expect((await callHook({ ...target, path: '/mutate', method: 'PUT' }, {})).status).toBe(405);
    const broken = await callHook({ ...target, path: '/mutate' }, '{');
    expect([broken.status, broken.body.response?.allowed]).toEqual([400, false]);
    const large = await callHook({ ...target, path: '/mutate' }, ' '.repeat(LIMIT.admissionBytes + 1)).catch(
      () => null,
    );
    expect(large === null || (large.status === 413 && large.body.response?.allowed === false)).toBe(true);
    expect((await callHook({ ...target, path: '/mutate' }, { apiVersion: 'v1' })).body.response?.allowed).toBe(false);
  });

  it('accepts TLS 1.2 and nothing older', async () => {
    installRelease(fake);
    const replica = await ready();
    const shake = (maxVersion: 'TLSv1.1' | 'TLSv1.2') =>
      new Promise<string>((resolve) => {
        const socket = connect(
          {
            host: '127.0.0.1',
            port: replica.controller.webhookPort,
            ca: caBundle(fake),
            servername: 'lazaret-controller.lazaret.svc',
            minVersion: 'TLSv1',
            maxVersion,
            ciphers: 'DEFAULT@SECLEVEL=0',
          },
          () => {
            resolve(socket.getProtocol() ?? 'none');
            socket.destroy();
          },
        );
        socket.on('error', () => resolve('refused'));
      });
    expect(await shake('TLSv1.2')).toBe('TLSv1.2');
    expect(await shake('TLSv1.1')).toBe('refused');
  });

  it('takes files of another authority, shows renewed ones without a restart and keeps open connections', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'lazaret-tls-'));
    try {
      const authority = await makeTestAuthority();
      const write = async (): Promise<void> => {
        const { certificate, key } = await authority.issue('lazaret-controller.lazaret.svc');
        writeFileSync(join(dir, 'tls.crt'), certificate);
        writeFileSync(join(dir, 'tls.key'), key);
        writeFileSync(join(dir, 'ca.crt'), authority.root);
      };
      await write();
      installRelease(fake);
      const replica = await start({ LAZARET_CERTS: 'files', LAZARET_TLS_DIR: dir });
      await vi.waitFor(() => expect(replica.controller.unready()).toEqual(['caBundle']), 20_000);
      for (const path of HOOKS)
        fake.put(path, {
          metadata: {},
          webhooks: [
            { name: 'pods.lazaret.dev', clientConfig: { caBundle: Buffer.from(authority.root).toString('base64') } },
          ],
        });
      await vi.waitFor(() => expect(replica.controller.unready()).toEqual([]), 20_000);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const serials = new Set<string>();
      agent.on('keylog', (_line, socket) =>
        socket.once('secureConnect', () => serials.add(socket.getPeerCertificate().serialNumber)),
      );
      await ask(replica, '/mutate', podReview(makePod()), agent);
      await write();
      await vi.waitFor(async () => {
        const fresh = new Agent();
        fresh.on('keylog', (_line, socket) =>
          socket.once('secureConnect', () => serials.add(socket.getPeerCertificate().serialNumber)),
        );
        await ask(replica, '/mutate', podReview(makePod()), fresh);
        expect(serials.size).toBe(2);
      }, 20_000);
      expect((await ask(replica, '/mutate', podReview(makePod()), agent)).status).toBe(200);
      expect(fake.get('/api/v1/namespaces/lazaret/secrets/lazaret-authority')).toBeUndefined();
      agent.destroy();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('answers on while it stops, on connections that it then lets go, and gives the lease back', async () => {
    installRelease(fake);
    let endGrace = (): void => undefined;
    const grace = new Promise<void>((resolve) => (endGrace = resolve));
    const clock = {
      now: Date.now,
      sleep: (ms: number, signal: AbortSignal) =>
        ms === LIMIT.webhookGraceMs ? grace : sleep(Math.min(ms, 50), signal),
    };
    const replica = await startReplica(fake, {}, clock);
    await vi.waitFor(() => expect(replica.controller.unready()).toEqual([]), 20_000);
    const agent = new Agent({ keepAlive: true });
    expect((await ask(replica, '/mutate', podReview(makePod()), agent)).headers.connection).toBe('keep-alive');
    const closed = replica.controller.close();
    expect(replica.controller.unready()).toEqual(['stopping']);
    expect((await fetch(`http://127.0.0.1:${replica.controller.opsPort}/readyz`)).status).toBe(503);
    const late = await ask(replica, '/mutate', podReview(makePod()), agent);
    expect(late).toMatchObject({ status: 200, headers: { connection: 'close' } });
    endGrace();
    await closed;
    await expect(ask(replica, '/mutate', podReview(makePod()), agent)).rejects.toThrow();
    const lease = fake.get('/apis/coordination.k8s.io/v1/namespaces/lazaret/leases/lazaret-controller');
    expect(lease?.spec).toMatchObject({ holderIdentity: '' });
    agent.destroy();
  });
});
