// The controller on this machine against a real API server: the chart's own roles, webhooks and CRDs; only the webhooks' Service
// is replaced by a URL that points here.
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { LIMIT } from '#contract/limit.ts';
import type { Controller } from '#controller/controller.ts';
import { makePod } from '#test/controller/admission/fixture.ts';
import { makeTestAuthority } from '#test/fake/test-authority.ts';
import { type Fields, hasGuard, type Hook, HostRelease } from './host-release.ts';
import { type KubeAnswer, messageOf } from './kube-client.ts';
import { type SecondWebhook, startSecondWebhook } from './second-webhook.ts';
import { applyYaml, kubectl, makeNamespace, PLACE, tryKubectl } from './test-cluster.ts';

const RELEASE = 'lazaret-host';
const CHAOS = 'zz-chaos';

let release: HostRelease;
let phi: string;
let plain: string;

beforeAll(async () => {
  release = await HostRelease.make(RELEASE);
  phi = await makeNamespace({ 'lazaret.dev/guard': 'labelled', 'lazaret.dev/test': release.namespace });
  plain = await makeNamespace();
});

afterAll(() => release.end(phi, plain));

afterEach(async () => {
  await release.removeHooks(CHAOS);
  await release.stop();
});

function register(port: number, change?: (hook: Hook) => void): Promise<void> {
  const namespaces = { key: 'lazaret.dev/test', operator: 'In', values: [release.namespace] };
  return release.register(port, namespaces, change);
}

/** A controller that the API server trusts, registered. */
async function running(environment: Readonly<Record<string, string>> = {}): Promise<Controller> {
  const controller = await release.start(environment);
  await register(controller.webhookPort);
  await ready(controller);
  return controller;
}

async function ready(controller: Controller): Promise<void> {
  await release.settle(controller);
  // The API server reads webhook configurations by a watch of its own.
  await vi.waitFor(async () => expect(hasGuard((await create(phi, makePod(), true)).body)).toBe(true), {
    timeout: 30_000,
    interval: 200,
  });
}

function create(namespace: string, pod: object, dryRun = false): Promise<KubeAnswer> {
  return release.create(namespace, pod, dryRun);
}

describe('the webhook of a real API server', () => {
  it('injects, denies with a rule and a remedy, and leaves alone what is not ours', async () => {
    await running();
    const injected = await create(phi, makePod());
    expect([injected.status, hasGuard(injected.body)]).toEqual([201, true]);
    const denied = await create(phi, makePod({ hostNetwork: true }));
    expect(denied.status).toBe(403);
    expect(messageOf(denied)).toMatch(/B-06 spec\.hostNetwork: .+ Remove hostNetwork/);
    const free = makePod();
    free.metadata.labels = {};
    expect(hasGuard((await create(phi, free)).body)).toBe(false);
    expect(hasGuard((await create(plain, makePod())).body)).toBe(false);
  });

  it('gives a dry run the same pod and leaves nothing behind', async () => {
    await running();
    const before = (await release.client.call({ method: 'GET', path: `/api/v1/namespaces/${phi}/pods` })).body
      .items as unknown[];
    const dry = await create(phi, makePod(), true);
    expect([dry.status, hasGuard(dry.body)]).toEqual([201, true]);
    const after = (await release.client.call({ method: 'GET', path: `/api/v1/namespaces/${phi}/pods` })).body
      .items as unknown[];
    expect(after).toHaveLength(before.length);
    expect(release.lines.filter(({ msg }) => msg === 'admission').at(-1)).toMatchObject({ dryRun: true });
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
        release.lines.filter(({ webhook, namespace }) => webhook === 'mutate' && namespace === phi).length,
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
    expect([restored.status, hasGuard(restored.body)]).toEqual([201, true]);
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
    release.controllers = [];
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
    const files = mkdtempSync(join(release.folder, 'tls-'));
    const authority = await makeTestAuthority();
    const write = async (shift: number): Promise<void> => {
      const { certificate, key } = await authority.issue(PLACE.hostAddress, shift);
      writeFileSync(join(files, 'tls.crt'), certificate);
      writeFileSync(join(files, 'tls.key'), key);
      writeFileSync(join(files, 'ca.crt'), authority.root);
    };
    await write(-10);
    const controller = await release.start({ LAZARET_CERTS: 'files', LAZARET_TLS_DIR: files });
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
    release.offset = -LIMIT.authorityRenewMs - 3_600_000;
    await kubectl([
      'delete',
      'secret',
      `${RELEASE}-authority`,
      `--namespace=${release.namespace}`,
      '--ignore-not-found',
    ]);
    const first = await release.start();
    await vi.waitFor(
      async () =>
        expect(
          (await tryKubectl(['get', 'secret', `${RELEASE}-authority`, `--namespace=${release.namespace}`])).status,
        ).toBe(0),
      30_000,
    );
    // An hour before the new root signs, less a little: leaves are backdated by an hour, so the API server takes them already.
    release.offset = -50 * 60_000;
    await register(first.webhookPort);
    await ready(first);
    const roots = async () =>
      (await release.hooks()).map(
        ({ clientConfig }) =>
          Buffer.from(clientConfig.caBundle ?? '', 'base64')
            .toString()
            .match(/BEGIN/g)?.length ?? 0,
      );
    await vi.waitFor(async () => expect(new Set(await roots())).toEqual(new Set([2])), 30_000);
    const bundle = (await release.hooks())[0]?.clientConfig.caBundle;
    const load = { on: true };
    const failed: string[] = [];
    let asked = 0;
    const done = (async () => {
      while (load.on) {
        const answer = await create(phi, makePod(), true);
        asked += 1;
        if (answer.status !== 201 || !hasGuard(answer.body)) failed.push(messageOf(answer));
      }
    })();
    release.offset = 11 * 60_000;
    await vi.waitFor(async () => expect((await release.hooks())[0]?.clientConfig.caBundle).not.toBe(bundle), 30_000);
    const turnedAt = asked;
    await vi.waitFor(() => expect(asked).toBeGreaterThan(turnedAt + 20), 60_000);
    load.on = false;
    await done;
    expect(failed).toEqual([]);
    expect(await roots()).toEqual((await roots()).map(() => 2));
  });

  it('writes a caBundle again that somebody wrote over, and nothing else', async () => {
    await running();
    const before = await release.hooks();
    const path = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${RELEASE}`;
    const patch = [
      {
        op: 'replace',
        path: '/webhooks/0/clientConfig/caBundle',
        value: Buffer.from((await makeTestAuthority()).root).toString('base64'),
      },
    ];
    await release.client.call({ method: 'PATCH', path, body: patch, contentType: 'application/json-patch+json' });
    await vi.waitFor(async () => expect(await release.hooks()).toEqual(before), 30_000);
  });

  it('agrees with a second replica on keys, authority and leader', async () => {
    const first = await running();
    const second = await release.start();
    await ready(second);
    const secrets = await kubectl(['get', 'secret', `--namespace=${release.namespace}`, '--output=name']);
    for (const name of ['keys', 'authority', 'collector-tls', 'evaluation-audit-key'])
      expect(secrets).toContain(`secret/${RELEASE}-${name}`);
    const lease = (
      await release.client.call({
        method: 'GET',
        path: `/apis/coordination.k8s.io/v1/namespaces/${release.namespace}/leases/${RELEASE}-controller`,
      })
    ).body;
    expect((lease.spec as Fields).holderIdentity).toBe('controller-0');
    const pod = await create(phi, makePod());
    await first.close();
    release.controllers = [second];
    await release.removeHooks();
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
      metadata: { name: `test-${release.namespace}` },
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
          const { body } = await release.client.call({
            method: 'GET',
            path: `/apis/lazaret.dev/v1alpha1/namespaces/${release.namespace}/policyparameters/${RELEASE}-exemptions`,
          });
          expect(Object.keys((body.data ?? {}) as Fields)).toEqual(
            expect.arrayContaining([`${phi}.B-28`, '_files.current']),
          );
          const { body: stored } = await release.client.call({
            method: 'GET',
            path: `/apis/lazaret.dev/v1alpha1/guardexemptions/test-${release.namespace}`,
          });
          expect(JSON.stringify(stored.status)).toContain('Accepted');
        },
        { timeout: 60_000, interval: 500 },
      );
    } finally {
      await kubectl(['delete', 'guardexemption', `test-${release.namespace}`]);
    }
  });

  it('refuses a resource of ours that says what cannot be', async () => {
    await running();
    const bad = {
      apiVersion: 'lazaret.dev/v1alpha1',
      kind: 'GuardExemption',
      metadata: { name: `bad-${release.namespace}` },
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

interface ChaosPod {
  readonly spec: {
    readonly containers: readonly unknown[];
    readonly initContainers?: readonly { readonly image?: string }[];
  };
}

/** Another mutating webhook, which runs after ours. */
async function startChaos(
  patchOf: (pod: ChaosPod) => readonly Fields[],
  reinvocationPolicy?: 'IfNeeded',
): Promise<SecondWebhook> {
  const again = reinvocationPolicy === undefined ? {} : { reinvocationPolicy };
  const chaos = await startSecondWebhook({ name: CHAOS, namespace: phi, patchOf, ...again });
  await vi.waitFor(
    async () => {
      await create(phi, makePod(), true);
      expect(chaos.asked()).toBeGreaterThan(0);
    },
    { timeout: 30_000, interval: 200 },
  );
  return chaos;
}

function portOf(server: TcpServer): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
