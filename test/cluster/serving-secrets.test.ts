// Serving certificates that the chart does not make: in Secrets of one's own, and by cert-manager. And keys of policy that change while
// pods run.
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { keys } from '#cli/keys.ts';
import { terminal } from '#test/sidecar/audit/rig.ts';
import {
  installCertificateApi,
  OpensslAuthority,
  removeCertificateApi,
  serveCertificates,
} from './certificate-issuer.ts';
import { clearProduct, installProduct, type Product } from './install.ts';
import { appSpec, callProvider, callUntil, startApp } from './product-apps.ts';
import { GUARDED } from './product-traffic.ts';
import { applyYaml, deleteNamespace, kubectl, makeNamespace, tryKubectl } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const RELEASE = '--namespace=lazaret';
const AGREEMENT = 'serving-anthropic';
const PROGRAMS = ['controller', 'collector'] as const;
type Program = (typeof PROGRAMS)[number];
const SECRETS = { controller: 'guard-tls', collector: 'evidence-tls' } as const;
const DOORS: readonly (readonly [Program, number])[] = [
  ['controller', 443],
  ['controller', 8444],
  ['collector', 8443],
];

/** A kubelet looks at mounted Secrets each minute or so. */
const MOUNT_SECONDS = 240;

const folder = mkdtempSync(join(tmpdir(), 'serving-'));
const serials = new Map<string, string>();
let authority: OpensslAuthority;
let product: Product | undefined;
let clinic = '';

beforeAll(async () => {
  await clearProduct();
  await kubectl(['create', 'namespace', 'lazaret']);
  authority = await OpensslAuthority.make(folder);
  for (const program of PROGRAMS) await issue(program);
  const existingSecret = { ...SECRETS, caBundle: await authority.root() };
  product = await installProduct({ values: stringify({ certs: { mode: 'existingSecret', existingSecret } }) });
  clinic = await makeNamespace(GUARDED);
  await applyYaml(stringify(agreement()));
}, 900_000);

afterAll(async () => {
  await kubectl(['delete', 'provideragreement', AGREEMENT, '--ignore-not-found']).catch(() => undefined);
  if (clinic !== '') await deleteNamespace(clinic);
  await product?.uninstall();
  await removeCertificateApi();
  await rm(folder, { recursive: true });
}, 300_000);

describe('with certificates in Secrets of one’s own', () => {
  it('pods are guarded, get their policy and send their evidence', async () => {
    await startApp(clinic, 'client');
    await callUntil(clinic, 'client', 200);
    for (const [program, port] of DOORS) expect(await serialAt(program, port)).toBe(serials.get(program));
  });

  it('a pod that cannot be guarded is denied by the webhook', async () => {
    const { stderr } = await dryRun({ hostNetwork: true });
    expect(stderr).toMatch(/admission webhook "labelled\.pods\.lazaret\.dev" denied the request: .*B-06 /s);
  });

  it('a Secret that changes is taken by every program without a restart, and no pod is refused meanwhile', {
    timeout: 600_000,
  }, async () => {
    const before = await listPods();
    const refused: string[] = [];
    for (const program of PROGRAMS) await issue(program);
    for (const [program, port] of DOORS)
      await waitFor(
        `the new certificate of the ${program} at ${port}`,
        async () => {
          const { status, stderr } = await dryRun();
          if (status !== 0) refused.push(stderr);
          return (await isEverywhere(program, port)) ? true : null;
        },
        MOUNT_SECONDS,
      );
    expect(refused).toEqual([]);
    expect(await listPods()).toBe(before);
    await startApp(clinic, 'after');
    await callUntil(clinic, 'after', 200);
    expect(await callProvider(clinic, 'client')).toMatchObject({ status: 200 });
  });
});

describe('`lazaret keys rotate`', () => {
  it('changes the keys of policy under running pods: they follow, and so do new ones', {
    timeout: 600_000,
  }, async () => {
    const before = await listPods();
    for (const round of ['first', 'second']) {
      const secret = await readKeys();
      await kubectl(['replace', '--filename=-'], { input: await rotated(JSON.stringify(secret)) });
      await waitFor(`every controller with the ${round} keys`, async () => ((await isAnnounced()) ? true : null), 120);
      // What running pods take from now on is signed by the other key.
      await kubectl(['delete', 'provideragreement', AGREEMENT]);
      expect((await callUntil(clinic, 'client', 403)).text).toContain('agreement_missing');
      await applyYaml(stringify(agreement()));
      expect((await callUntil(clinic, 'client', 200)).text).not.toContain('never');
      await startApp(clinic, `after-the-${round}`);
      expect((await callUntil(clinic, `after-the-${round}`, 200)).text).not.toContain('never');
    }
    expect(await listPods()).toBe(before);
  });

  it('does not undo what somebody else wrote meanwhile', async () => {
    const read = JSON.stringify(await readKeys());
    await kubectl(['annotate', 'secret', 'lazaret-keys', RELEASE, 'example.com/touched=1', '--overwrite']);
    const { status, stderr } = await tryKubectl(['replace', '--filename=-'], { input: await rotated(read) });
    expect([status, stderr]).toEqual([1, expect.stringContaining('the object has been modified')]);
  });
});

describe('with certificates of cert-manager, whose part the test plays', () => {
  it('an upgrade to them waits for Secrets and caBundle, and pods are guarded as before', {
    timeout: 600_000,
  }, async () => {
    await installCertificateApi();
    const { stop } = product?.provider ?? { stop: () => Promise.resolve() };
    await stop();
    const installing = installProduct({ values: stringify({ certs: { mode: 'certManager' } }) });
    // Its own authority, which in the chart is a Certificate too, is played by the one that is there.
    const [made, served] = await Promise.all([installing, serveCertificates(authority, 'lazaret', 3)]);
    product = made;
    for (const [program, port] of DOORS) {
      const wanted = served.get(`lazaret-${program}`) ?? '';
      await waitFor(
        `the certificate of the ${program}`,
        async () => (await isEverywhere(program, port, wanted)) || null,
      );
    }
    await startApp(clinic, 'of-cert-manager');
    await callUntil(clinic, 'of-cert-manager', 200);
    expect(await callProvider(clinic, 'client')).toMatchObject({ status: 200 });
  });
});

async function issue(program: Program): Promise<void> {
  const name = `lazaret-${program}.lazaret.svc`;
  const names = [name, `${name}.cluster.local`];
  serials.set(program, await authority.issue('lazaret', SECRETS[program], names));
}

/** Names and restarts of the release's pods. */
function listPods(): Promise<string> {
  const each = '{.metadata.uid} {.status.containerStatuses[*].restartCount}{"\\n"}';
  return kubectl(['get', 'pods', RELEASE, `--output=jsonpath={range .items[*]}${each}{end}`]);
}

function dryRun(spec: object = {}) {
  const metadata = { name: 'asked', namespace: clinic, labels: { 'lazaret.dev/phi': 'true' } };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: appSpec({ spec }) };
  return tryKubectl(['create', '--dry-run=server', '--output=json', '--filename=-'], { input: JSON.stringify(pod) });
}

/** A Service leads to either replica: both have it when neither shows another some times in a row. */
async function isEverywhere(program: Program, port: number, serial = serials.get(program)): Promise<boolean> {
  for (let look = 0; look < 8; look++) if ((await serialAt(program, port)) !== serial) return false;
  return true;
}

/** The serial number of a program's certificate, as a client that trusts the authority sees it. */
async function serialAt(program: Program, port: number): Promise<string> {
  const service = `service/lazaret-${program}`;
  const host = (await kubectl(['get', service, RELEASE, '--output=jsonpath={.spec.clusterIP}'])).trim();
  const ca = await authority.root();
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ca, servername: `lazaret-${program}.lazaret.svc` }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

interface KeySecret {
  readonly data: Readonly<Record<string, string>>;
}

async function readKeys(): Promise<KeySecret> {
  return JSON.parse(await kubectl(['get', 'secret', 'lazaret-keys', RELEASE, '--output=json'])) as KeySecret;
}

async function rotated(secret: string): Promise<string> {
  const io = terminal();
  const stdin = (async function* () {
    yield Buffer.from(secret);
  })();
  expect(await keys(['rotate'], { ...io, stdin })).toBe(0);
  return io.out.join('');
}

/** Whether every controller gives new pods the key that is next now. */
async function isAnnounced(): Promise<boolean> {
  const next = Buffer.from((await readKeys()).data['bundle-next.jwk'] ?? '', 'base64').toString('utf8');
  const { x } = JSON.parse(next) as { readonly x: string };
  for (let look = 0; look < 8; look++) if (!(await dryRun()).stdout.includes(x)) return false;
  return true;
}

function agreement(): object {
  return {
    apiVersion: 'lazaret.dev/v1alpha1',
    kind: 'ProviderAgreement',
    metadata: { name: AGREEMENT },
    spec: {
      provider: 'Anthropic',
      product: 'Claude API',
      match: { hosts: ['api.anthropic.com'], paths: ['POST /v1/messages'] },
      contract: { status: 'signed', ref: 'BAA-1', signedOn: '2026-01-15' },
    },
  };
}
