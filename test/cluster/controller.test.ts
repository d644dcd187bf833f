// The controller on this machine against a real API server: the chart's own roles, webhooks and CRDs; only the webhooks' Service
// is replaced by a URL that points here.
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { createServer, type Server } from 'node:https';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { readFileSync } from 'node:fs';
import { sleep } from '#controller/cluster/backoff.ts';
import { kubeconfigCredentials } from '#controller/cluster/credentials.ts';
import { parseConfig } from '#controller/config.ts';
import { type Controller, startController } from '#controller/controller.ts';
import { LIMIT } from '#contract/limit.ts';
import { makePod } from '#test/controller/admission/fixture.ts';
import { makeTestAuthority } from '#test/fake/test-authority.ts';
import { KubeClient, messageOf } from './kube-client.ts';
import { applyYaml, kubectl, makeNamespace, PLACE, tryHelm, tryKubectl } from './test-cluster.ts';

const RELEASE = 'lazaret-host';
const CHART = new URL('../../charts/lazaret/', import.meta.url).pathname;
const RENDERED = [
  'crds/crds.yaml',
  'policies/policy-parameters.yaml',
  'controller/rbac.yaml',
  'controller/serviceaccount.yaml',
  'controller/configmap.yaml',
  'controller/webhooks.yaml',
];
const HOOKS = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'] as const;
const CHAOS = 'zz-chaos';

type Fields = Record<string, unknown>;
interface Hook extends Fields {
  readonly name: string;
  clientConfig: { url?: string; service?: { path: string }; caBundle?: string };
  namespaceSelector: { matchExpressions?: Fields[] };
}

let client: KubeClient;
let dir: string;
let release: string;
let phi: string;
let plain: string;
let webhooks: { kind: string; metadata: { name: string }; webhooks: Hook[] }[];
let controllers: Controller[];
let lines: Fields[];
let offset: number;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lazaret-controller-'));
  client = new KubeClient(PLACE.kubeconfig);
  release = await makeNamespace();
  phi = await makeNamespace({ 'lazaret.dev/guard': 'labelled', 'lazaret.dev/test': release });
  plain = await makeNamespace();
  const shown = RENDERED.flatMap((file) => ['--show-only', `templates/${file}`]);
  const rendered = await tryHelm([
    'template',
    RELEASE,
    CHART,
    '--namespace',
    release,
    '--set',
    'evaluation=true',
    '--set',
    'network.resolvers={10.1.0.10}',
    ...shown,
  ]);
  if (rendered.status !== 0) throw new Error(rendered.stderr);
  const objects = parseAllDocuments(rendered.stdout).map(
    (document) => document.toJS() as { kind: string; metadata: { name: string }; webhooks: Hook[] },
  );
  webhooks = objects.filter(({ kind }) => kind.endsWith('WebhookConfiguration'));
  await applyYaml(
    objects
      .filter(({ kind }) => !kind.endsWith('WebhookConfiguration'))
      .map((object) => stringify(object))
      .join('---\n'),
  );
  await vi.waitFor(
    async () =>
      expect((await client.call({ method: 'GET', path: '/apis/lazaret.dev/v1alpha1/egresspolicies' })).status).toBe(
        200,
      ),
    30_000,
  );
  await writeKubeconfig();
});

afterAll(async () => {
  await removeHooks();
  for (const kind of ['clusterrole', 'clusterrolebinding'])
    await tryKubectl(['delete', kind, `${RELEASE}-controller`, '--ignore-not-found']);
  await tryKubectl([
    'delete',
    'role,rolebinding',
    '--namespace=kube-system',
    '--selector',
    `app.kubernetes.io/instance=${RELEASE}`,
  ]);
  for (const namespace of [phi, plain, release])
    await tryKubectl(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found']);
  rmSync(dir, { recursive: true });
});

beforeEach(() => {
  controllers = [];
  lines = [];
  offset = 0;
});

afterEach(async () => {
  await removeHooks();
  await Promise.all(controllers.map((controller) => controller.close()));
});

/** The controller's own service account: what it may not do by the chart's roles, it cannot do here. */
async function writeKubeconfig(): Promise<void> {
  const token = await kubectl(['create', 'token', `${RELEASE}-controller`, `--namespace=${release}`, '--duration=2h']);
  const admin = parse(readFileSync(PLACE.kubeconfig, 'utf8')) as { users: { user: Fields }[] };
  for (const one of admin.users) one.user = { token: token.trim() };
  writeFileSync(join(dir, 'kubeconfig'), stringify(admin));
}

async function start(environment: Readonly<Record<string, string>> = {}): Promise<Controller> {
  const parsed = parseConfig({
    KUBECONFIG: join(dir, 'kubeconfig'),
    LAZARET_NAMESPACE: release,
    LAZARET_FULLNAME: RELEASE,
    LAZARET_POD_NAME: `controller-${controllers.length}`,
    LAZARET_SERVING_NAMES: PLACE.hostAddress,
    LAZARET_WEBHOOK_LISTEN: '0.0.0.0:0',
    LAZARET_BUNDLE_LISTEN: '127.0.0.1:0',
    LAZARET_OPS: '127.0.0.1:0',
    ...environment,
  });
  if (!parsed.ok) throw new Error(parsed.faults.join('; '));
  const now = () => Date.now() + offset;
  const controller = await startController({
    config: parsed.config,
    credentials: kubeconfigCredentials(join(dir, 'kubeconfig'), Date.now),
    clock: { now, sleep: (ms, signal) => sleep(Math.min(ms, 300), signal) },
    random: Math.random,
    log: pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line) as Fields) }),
    version: '0.0.0-test',
  });
  controllers.push(controller);
  return controller;
}

/** Registers the chart's webhooks with a URL of this machine, for the namespace of this test only. */
async function register(port: number, change: (hook: Hook) => void = () => undefined): Promise<void> {
  for (const configuration of webhooks) {
    const copy = structuredClone(configuration);
    for (const hook of copy.webhooks) {
      hook.clientConfig = { url: `https://${PLACE.hostAddress}:${port}${hook.clientConfig.service?.path ?? ''}` };
      if (!hook.name.startsWith('resources'))
        hook.namespaceSelector = {
          matchExpressions: [
            ...(hook.namespaceSelector.matchExpressions ?? []),
            { key: 'lazaret.dev/test', operator: 'In', values: [release] },
          ],
        };
      change(hook);
    }
    await applyYaml(stringify(copy));
  }
}

async function removeHooks(): Promise<void> {
  for (const kind of HOOKS)
    for (const name of [RELEASE, CHAOS])
      await client.call({ method: 'DELETE', path: `/apis/admissionregistration.k8s.io/v1/${kind}/${name}` });
}

/** A controller that the API server trusts, registered. */
async function running(environment: Readonly<Record<string, string>> = {}): Promise<Controller> {
  const controller = await start(environment);
  await register(controller.webhookPort);
  await ready(controller);
  return controller;
}

async function ready(controller: Controller): Promise<void> {
  await vi.waitFor(
    () => expect([controller.unready(), lines.filter(({ level }) => Number(level) > 40)]).toEqual([[], []]),
    { timeout: 30_000, interval: 100 },
  );
  // The API server reads webhook configurations by a watch of its own.
  await vi.waitFor(async () => expect(isGuarded((await create(phi, makePod(), true)).body)).toBe(true), {
    timeout: 30_000,
    interval: 200,
  });
}

function create(namespace: string, pod: unknown, dryRun = false) {
  const copy = structuredClone(pod) as { metadata: Fields };
  copy.metadata.namespace = namespace;
  copy.metadata.name = undefined;
  copy.metadata.generateName = 'app-';
  return client.call({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/pods${dryRun ? '?dryRun=All' : ''}`,
    body: copy,
  });
}

function isGuarded(pod: Fields): boolean {
  const { initContainers = [] } = (pod.spec ?? {}) as { initContainers?: { name: string }[] };
  return initContainers[0]?.name === 'lazaret-init' && initContainers[1]?.name === 'lazaret-sidecar';
}

describe('the webhook of a real API server', () => {
  it('injects, denies with a rule and a remedy, and leaves alone what is not ours', async () => {
    await running();
    const injected = await create(phi, makePod());
    expect([injected.status, isGuarded(injected.body)]).toEqual([201, true]);
    const denied = await create(phi, makePod({ hostNetwork: true }));
    expect(denied.status).toBe(403);
    expect(messageOf(denied)).toMatch(/B-06 spec\.hostNetwork: .+ Remove hostNetwork/);
    const free = makePod();
    free.metadata.labels = {};
    expect(isGuarded((await create(phi, free)).body)).toBe(false);
    expect(isGuarded((await create(plain, makePod())).body)).toBe(false);
  });

  it('gives a dry run the same pod and leaves nothing behind', async () => {
    await running();
    const before = (await client.call({ method: 'GET', path: `/api/v1/namespaces/${phi}/pods` })).body
      .items as unknown[];
    const dry = await create(phi, makePod(), true);
    expect([dry.status, isGuarded(dry.body)]).toEqual([201, true]);
    const after = (await client.call({ method: 'GET', path: `/api/v1/namespaces/${phi}/pods` })).body
      .items as unknown[];
    expect(after).toHaveLength(before.length);
    expect(lines.filter(({ msg }) => msg === 'admission').at(-1)).toMatchObject({ dryRun: true });
  });

  it('is asked again when a later webhook adds a container, and guards that too', async () => {
    await running();
    const chaos = await startChaos((pod) => [
      {
        op: 'add',
        path: '/spec/containers/-',
        value: { name: 'added', image: 'registry.example/added:1', env: [{ name: 'A', value: 'b' }] },
      },
      ...(pod.spec.containers.length > 1 ? [{ op: 'test', path: '/spec/nothing', value: 1 }] : []),
    ]);
    try {
      const answer = await create(phi, makePod());
      expect([answer.status, messageOf(answer)]).toEqual([201, '']);
      const { containers } = answer.body.spec as {
        containers: { name: string; securityContext?: { allowPrivilegeEscalation?: boolean } }[];
      };
      expect(containers.map(({ name, securityContext }) => [name, securityContext?.allowPrivilegeEscalation])).toEqual([
        ['app', false],
        ['added', false],
      ]);
      expect(
        lines.filter(({ webhook, namespace }) => webhook === 'mutate' && namespace === phi).length,
      ).toBeGreaterThan(1);
    } finally {
      await chaos.close();
    }
  });

  it('puts back what a later webhook changes once, and denies, naming the field, when it changes it again', async () => {
    await running();
    const image = 'registry.example/other:1';
    const swap = (pod: ChaosPod): readonly Fields[] =>
      pod.spec.initContainers?.[1] === undefined || pod.spec.initContainers[1].image === image
        ? []
        : [{ op: 'replace', path: '/spec/initContainers/1/image', value: image }];
    const once = await startChaos(swap);
    const restored = await create(phi, makePod());
    await once.close();
    expect([restored.status, isGuarded(restored.body)]).toEqual([201, true]);
    const stubborn = await startChaos(swap, 'IfNeeded');
    const denied = await create(phi, makePod());
    await stubborn.close();
    expect([denied.status, messageOf(denied)]).toEqual([
      403,
      expect.stringContaining('ADM-19 spec.initContainers[1].image'),
    ]);
  });

  it('denies PHI-bearing pods while it is down, and blocks no other', async () => {
    const controller = await running();
    await controller.close();
    controllers = [];
    expect((await create(phi, makePod())).status).toBeGreaterThanOrEqual(400);
    const free = makePod();
    free.metadata.labels = {};
    expect((await create(phi, free)).status).toBe(201);
    expect((await create(plain, makePod())).status).toBe(201);
    expect((await create('kube-system', makePod(), true)).status).toBe(201);
  });

  it('denies PHI-bearing pods while it does not answer in time', async () => {
    const hole = createTcpServer((socket) => void socket.on('error', () => undefined));
    await new Promise<void>((resolve) => hole.listen(0, '0.0.0.0', resolve));
    const authority = await makeTestAuthority();
    await register(portOf(hole), (hook) => {
      hook.timeoutSeconds = 1;
      hook.clientConfig.caBundle = Buffer.from(authority.root).toString('base64');
    });
    try {
      await vi.waitFor(
        async () => expect(messageOf(await create(phi, makePod()))).toMatch(/deadline|timeout|failed calling webhook/),
        { timeout: 30_000, interval: 200 },
      );
      expect((await create(plain, makePod())).status).toBe(201);
    } finally {
      hole.close();
    }
  });

  it('is not ready with a certificate that has ended, and PHI-bearing pods are denied meanwhile', async () => {
    const files = mkdtempSync(join(dir, 'tls-'));
    const authority = await makeTestAuthority();
    const write = async (shift: number): Promise<void> => {
      const { certificate, key } = await authority.issue(PLACE.hostAddress, shift);
      writeFileSync(join(files, 'tls.crt'), certificate);
      writeFileSync(join(files, 'tls.key'), key);
      writeFileSync(join(files, 'ca.crt'), authority.root);
    };
    await write(-10);
    const controller = await start({ LAZARET_CERTS: 'files', LAZARET_TLS_DIR: files });
    await register(
      controller.webhookPort,
      (hook) => (hook.clientConfig.caBundle = Buffer.from(authority.root).toString('base64')),
    );
    await vi.waitFor(() => expect(controller.unready()).toEqual(['caBundle']), 30_000);
    await vi.waitFor(async () => expect(messageOf(await create(phi, makePod()))).toMatch(/expired/), {
      timeout: 30_000,
      interval: 200,
    });
    await write(0);
    await ready(controller);
    expect((await create(phi, makePod())).status).toBe(201);
  });

  it('fails no request while its authority is replaced under load', async () => {
    // A year ago: the authority of a release that was installed then.
    offset = -LIMIT.authorityRenewMs - 3_600_000;
    await kubectl(['delete', 'secret', `${RELEASE}-authority`, `--namespace=${release}`, '--ignore-not-found']);
    const first = await start();
    await vi.waitFor(
      async () =>
        expect((await tryKubectl(['get', 'secret', `${RELEASE}-authority`, `--namespace=${release}`])).status).toBe(0),
      30_000,
    );
    // An hour before the new root signs, less a little: leaves are backdated by an hour, so the API server takes them already.
    offset = -50 * 60_000;
    await register(first.webhookPort);
    await ready(first);
    const roots = async () =>
      (await hooks()).map(
        ({ clientConfig }) =>
          Buffer.from(clientConfig.caBundle ?? '', 'base64')
            .toString()
            .match(/BEGIN/g)?.length ?? 0,
      );
    await vi.waitFor(async () => expect(new Set(await roots())).toEqual(new Set([2])), 30_000);
    const bundle = (await hooks())[0]?.clientConfig.caBundle;
    const load = { on: true };
    const failed: string[] = [];
    let asked = 0;
    const done = (async () => {
      while (load.on) {
        const answer = await create(phi, makePod(), true);
        asked += 1;
        if (answer.status !== 201 || !isGuarded(answer.body)) failed.push(messageOf(answer));
      }
    })();
    offset = 11 * 60_000;
    await vi.waitFor(async () => expect((await hooks())[0]?.clientConfig.caBundle).not.toBe(bundle), 30_000);
    const turnedAt = asked;
    await vi.waitFor(() => expect(asked).toBeGreaterThan(turnedAt + 20), 60_000);
    load.on = false;
    await done;
    expect(failed).toEqual([]);
    expect(await roots()).toEqual((await roots()).map(() => 2));
  });

  it('writes a caBundle again that somebody wrote over, and nothing else', async () => {
    await running();
    const before = await hooks();
    const path = `/apis/admissionregistration.k8s.io/v1/${HOOKS[0]}/${RELEASE}`;
    const patch = [
      {
        op: 'replace',
        path: '/webhooks/0/clientConfig/caBundle',
        value: Buffer.from((await makeTestAuthority()).root).toString('base64'),
      },
    ];
    await client.call({ method: 'PATCH', path, body: patch, contentType: 'application/json-patch+json' });
    await vi.waitFor(async () => expect(await hooks()).toEqual(before), 30_000);
  });

  it('agrees with a second replica on keys, authority and leader', async () => {
    const first = await running();
    const second = await start();
    await ready(second);
    const secrets = await kubectl(['get', 'secret', `--namespace=${release}`, '--output=name']);
    for (const name of ['keys', 'authority', 'collector-tls', 'evaluation-audit-key'])
      expect(secrets).toContain(`secret/${RELEASE}-${name}`);
    const lease = (
      await client.call({
        method: 'GET',
        path: `/apis/coordination.k8s.io/v1/namespaces/${release}/leases/${RELEASE}-controller`,
      })
    ).body;
    expect((lease.spec as Fields).holderIdentity).toBe('controller-0');
    const pod = await create(phi, makePod());
    await first.close();
    controllers = [second];
    await removeHooks();
    await register(second.webhookPort);
    await ready(second);
    const again = await create(phi, makePod());
    const filesOf = (body: Fields): unknown =>
      (body.spec as { initContainers: { env: { name: string; value: string }[] }[] }).initContainers[0]?.env.find(
        ({ name }) => name === 'LAZARET_FILES',
      )?.value;
    expect(filesOf(again.body)).toBe(filesOf(pod.body));
  });

  it('writes the parameters of the admission policies for an exemption, and the condition of the exemption', async () => {
    await running();
    const until = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    const exemption = {
      apiVersion: 'lazaret.dev/v1alpha1',
      kind: 'GuardExemption',
      metadata: { name: `test-${release}` },
      spec: {
        reason: 'a test',
        approvedBy: 'tests',
        from: '2026-01-01',
        until,
        namespaces: [phi],
        grant: { hardening: ['B-28'] },
      },
    };
    await applyYaml(stringify(exemption));
    try {
      await vi.waitFor(
        async () => {
          const { body } = await client.call({
            method: 'GET',
            path: `/apis/lazaret.dev/v1alpha1/namespaces/${release}/policyparameters/${RELEASE}-exemptions`,
          });
          expect(Object.keys((body.data ?? {}) as Fields)).toEqual(
            expect.arrayContaining([`${phi}.B-28`, '_files.current']),
          );
          const { body: stored } = await client.call({
            method: 'GET',
            path: `/apis/lazaret.dev/v1alpha1/guardexemptions/test-${release}`,
          });
          expect(JSON.stringify(stored.status)).toContain('Accepted');
        },
        { timeout: 60_000, interval: 500 },
      );
    } finally {
      await kubectl(['delete', 'guardexemption', `test-${release}`]);
    }
  });

  it('refuses a resource of ours that says what cannot be', async () => {
    await running();
    const bad = {
      apiVersion: 'lazaret.dev/v1alpha1',
      kind: 'GuardExemption',
      metadata: { name: `bad-${release}` },
      spec: {
        reason: 'a test',
        approvedBy: 'tests',
        from: '2026-01-02',
        until: '2026-01-01',
        namespaces: [phi],
        grant: { hardening: ['B-28'] },
      },
    };
    const { status, stderr } = await tryKubectl(['apply', '--filename=-'], { input: stringify(bad) });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/until|before/)]);
  });
});

async function hooks(): Promise<readonly Hook[]> {
  const found = await Promise.all(
    HOOKS.map((kind) =>
      client.call({ method: 'GET', path: `/apis/admissionregistration.k8s.io/v1/${kind}/${RELEASE}` }),
    ),
  );
  return found.flatMap(({ body }) => (body.webhooks ?? []) as Hook[]);
}

interface ChaosPod {
  readonly spec: {
    readonly containers: readonly unknown[];
    readonly initContainers?: readonly { readonly image?: string }[];
  };
}

/** Another mutating webhook, which runs after ours. */
async function startChaos(
  patchOf: (pod: ChaosPod) => readonly Fields[],
  reinvocationPolicy = 'Never',
): Promise<{ readonly close: () => Promise<void> }> {
  const authority = await makeTestAuthority();
  const { certificate, key } = await authority.issue(PLACE.hostAddress);
  let asked = 0;
  const server = createServer({ cert: certificate, key }, (request, response) => {
    asked += 1;
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      const review = JSON.parse(text) as { request: { uid: string; object: ChaosPod } };
      const patch = patchOf(review.request.object);
      response.end(
        JSON.stringify({
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: {
            uid: review.request.uid,
            allowed: true,
            patchType: 'JSONPatch',
            patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
          },
        }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const [mutating] = webhooks;
  const [hook] = mutating?.webhooks.filter(({ name }) => name.startsWith('labelled')) ?? [];
  await applyYaml(
    stringify({
      ...mutating,
      metadata: { name: CHAOS },
      webhooks: [
        {
          ...hook,
          name: 'chaos.example.org',
          reinvocationPolicy,
          namespaceSelector: { matchLabels: { 'lazaret.dev/test': release } },
          clientConfig: {
            url: `https://${PLACE.hostAddress}:${portOf(server)}/`,
            caBundle: Buffer.from(authority.root).toString('base64'),
          },
        },
      ],
    }),
  );
  await vi.waitFor(
    async () => {
      await create(phi, makePod(), true);
      expect(asked).toBeGreaterThan(0);
    },
    { timeout: 30_000, interval: 200 },
  );
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function portOf(server: Server | TcpServer): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
