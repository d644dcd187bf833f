// From one digest of the images to another and back, while pods are created all the time; and the start of everything after an outage.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { CHART } from '#test/chart/chart-files.ts';
import { makePod } from '#test/controller/admission/fixture.ts';
import { partFolder } from './build.ts';
import { controlPlaneParts } from './control-plane.ts';
import { HELMS, valuesFile } from './helm-command.ts';
import { hasGuard } from './host-release.ts';
import { installProduct, type Product } from './install.ts';
import { KubeClient, messageOf } from './kube-client.ts';
import { loadImage } from './load-image.ts';
import { enterCluster, findCluster, startParts } from './namespace.ts';
import { callProvider, callUntil, createApp, startApp } from './product-apps.ts';
import { productImages } from './product-images.ts';
import { relabelImage } from './relabelled-image.ts';
import { runCommand, tryCommand } from './run-command.ts';
import {
  applyYaml,
  deleteNamespace,
  getObject,
  kubectl,
  makeNamespace,
  PLACE,
  tryHelm,
  tryKubectl,
  waitForCondition,
} from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const RELEASE = ['lazaret', '--namespace=lazaret'] as const;
/** Those that a pod's admission depends on. */
const PROGRAMS = ['controller', 'sidecar', 'init'] as const;
const WAIT = ['--wait', '--timeout=180s'] as const;

const AGREEMENT = {
  apiVersion: 'lazaret.dev/v1alpha1',
  kind: 'ProviderAgreement',
  metadata: { name: 'upgrade' },
  spec: {
    provider: 'Anthropic',
    product: 'Claude API',
    match: { hosts: ['api.anthropic.com'], paths: ['POST /v1/messages'] },
    contract: { status: 'signed', ref: 'BAA-TEST-2', signedOn: '2026-01-15', expiresOn: '2099-01-14' },
  },
};

const say = (line: string): void => void process.stderr.write(`upgrade: ${line}\n`);
const folder = join(PLACE.state, 'next-images');

let product: Product;
let client: KubeClient;
let clinic: string;
let plain: string;
/** Helm's arguments for the next images. */
let next: readonly string[];
let digests: Readonly<Record<string, string>>;

beforeAll(async () => {
  product = await installProduct();
  client = new KubeClient(PLACE.kubeconfig);
  clinic = await makeNamespace({ 'lazaret.dev/guard': 'labelled' });
  plain = await makeNamespace();
  const images = await productImages(say);
  const made: Record<string, string> = {};
  for (const program of PROGRAMS) {
    const archive = join(folder, `${program}.tar`);
    made[program] = await relabelImage(join(images, `${program}.tar`), archive);
    await loadImage(PLACE, archive);
  }
  digests = made;
  next = valuesFile(stringify(Object.fromEntries(PROGRAMS.map((name) => [name, { image: { digest: made[name] } }]))));
  // kube-proxy takes a moment after an installation.
  await waitFor('the webhook of agreements', async () =>
    (await applyYaml(stringify(AGREEMENT))) === '' ? null : true,
  );
  await startApp(clinic, 'old');
  await callUntil(clinic, 'old', 200);
});

afterAll(async () => {
  client.close();
  await kubectl(['delete', 'provideragreement', 'upgrade', '--ignore-not-found', '--timeout=60s']);
  for (const namespace of [clinic, plain]) await deleteNamespace(namespace);
  await rm(folder, { recursive: true, force: true });
  await product.uninstall();
});

/** What became of the pods that were asked for while something else was done. */
interface Seen {
  asked: number;
  readonly unguarded: string[];
  readonly denied: string[];
  readonly blocked: string[];
}

/** Creates PHI-bearing pods and others, one after another, until the work is done. */
async function createAllTheWhile(work: () => Promise<void>): Promise<Seen> {
  const seen: Seen = { asked: 0, unguarded: [], denied: [], blocked: [] };
  const load = { on: true };
  const loop = async (): Promise<void> => {
    while (load.on) {
      seen.asked += 1;
      await createOne(seen);
    }
  };
  const running = loop();
  try {
    await work();
  } finally {
    load.on = false;
    await running;
  }
  return seen;
}

async function createOne(seen: Seen): Promise<void> {
  const guarded = await create(clinic, makePod());
  if (guarded.status !== 201) seen.denied.push(messageOf(guarded));
  else if (!hasGuard(guarded.body)) seen.unguarded.push(JSON.stringify(guarded.body));
  const free = makePod();
  free.metadata['labels'] = {};
  for (const [namespace, pod] of [
    [plain, makePod()],
    [clinic, free],
    ['kube-system', makePod()],
    ['lazaret', makePod()],
  ] as const) {
    const answer = await create(namespace, pod);
    if (answer.status !== 201) seen.blocked.push(`${namespace}: ${messageOf(answer)}`);
  }
}

function create(namespace: string, { metadata, ...pod }: ReturnType<typeof makePod>) {
  const body = { ...pod, metadata: { ...metadata, name: undefined, generateName: 'app-', namespace } };
  return client.call({ method: 'POST', path: `/api/v1/namespaces/${namespace}/pods?dryRun=All`, body });
}

async function helm(program: (typeof HELMS)[number], ...args: readonly string[]): Promise<void> {
  const { status, stderr } = await tryHelm(args, program);
  if (status !== 0) throw new Error(stderr);
}

/** The images of a pod's guard. */
async function guardImages(pod: string): Promise<readonly string[]> {
  const { spec } = (await getObject([`pod/${pod}`, `--namespace=${clinic}`])) as unknown as {
    readonly spec: { readonly initContainers: readonly { readonly image: string }[] };
  };
  return spec.initContainers.slice(0, 2).map(({ image }) => image);
}

async function controllerImages(): Promise<readonly string[]> {
  const where = ['--namespace=lazaret', '--selector=app.kubernetes.io/component=controller'];
  const text = await kubectl(['get', 'pods', ...where, '--output=jsonpath={.items[*].spec.containers[*].image}']);
  return text.split(' ');
}

/**
 * No rule denies a pod because a release changes, and none is let through without a guard. A connection that an API server kept may break
 * in the instant in which its replica ends; a workload's controller tries again.
 */
function expectGuardKept({ asked, unguarded, denied, blocked }: Seen): void {
  for (const message of denied) say(`denied: ${message}`);
  expect(asked).toBeGreaterThan(20);
  expect([unguarded, blocked]).toEqual([[], []]);
  expect(denied.filter((message) => !message.includes('failed calling webhook'))).toEqual([]);
  expect(denied.length).toBeLessThanOrEqual(asked / 50);
}

/** What people do to a pod that runs already. */
async function expectOldPodIsTaken(): Promise<void> {
  await kubectl(['annotate', 'pod', 'old', `--namespace=${clinic}`, `example.org/seen=${Date.now()}`, '--overwrite']);
  await kubectl(['label', 'pod', 'old', `--namespace=${clinic}`, `seen=x${Date.now()}`, '--overwrite']);
  expect(await callProvider(clinic, 'old')).toMatchObject({ status: 200 });
}

describe.each(HELMS)('with %s', (program) => {
  const pod = `next-${program}`;

  it('an upgrade to other digests leaves no PHI-bearing pod unguarded and blocks no other', async () => {
    const before = await guardImages('old');
    const seen = await createAllTheWhile(() =>
      helm(program, 'upgrade', ...RELEASE, CHART, '--reuse-values', ...next, ...WAIT),
    );
    say(`${seen.asked} rounds during the upgrade, ${seen.denied.length} PHI-bearing pods denied`);
    expectGuardKept(seen);
    await waitFor('the old controllers to be gone', async () => {
      const images = await controllerImages();
      return images.every((image) => image.endsWith(`@${digests['controller']}`)) ? true : null;
    });
    await createApp(clinic, pod);
    const images = await guardImages(pod);
    expect(images).toEqual([
      expect.stringMatching(`@${digests['init']}$`),
      expect.stringMatching(`@${digests['sidecar']}$`),
    ]);
    expect(await guardImages('old')).toEqual(before);
    await waitForCondition(clinic, `pod/${pod}`, 'condition=Ready');
    expect(await callProvider(clinic, pod)).toMatchObject({ status: 200 });
    await expectOldPodIsTaken();
  });

  it('a rollback does the same, and the pods of the newer release go on', async () => {
    const seen = await createAllTheWhile(() => helm(program, 'rollback', ...RELEASE, ...WAIT));
    say(`${seen.asked} rounds during the rollback, ${seen.denied.length} PHI-bearing pods denied`);
    expectGuardKept(seen);
    await createApp(clinic, `back-${program}`);
    expect(await guardImages(`back-${program}`)).toEqual(await guardImages('old'));
    expect(await callProvider(clinic, pod)).toMatchObject({ status: 200 });
    await expectOldPodIsTaken();
  });
});

it('after all controllers and the API server ended at once, the release comes back by itself', async () => {
  const selector = '--selector=app.kubernetes.io/component=controller';
  await kubectl(['delete', 'pods', '--namespace=lazaret', selector, '--force', '--grace-period=0']);
  const inside = enterCluster(findCluster(PLACE) ?? 0);
  await runCommand([...inside, 'sh', '-c', 'kill -9 $(pidof kube-apiserver)']);
  // What still ends would be taken for a part that runs.
  await waitFor('its end', async () =>
    (await tryCommand([...inside, 'pidof', 'kube-apiserver'])).status === 0 ? null : true,
  );
  await startParts(PLACE, controlPlaneParts(PLACE, await partFolder('kubernetes')));
  await waitFor('the API server', async () =>
    (await tryKubectl(['get', '--raw=/readyz', '--request-timeout=2s'])).status === 0 ? true : null,
  );
  const during = { asked: 0, unguarded: [], denied: [], blocked: [] } satisfies Seen;
  await waitFor(
    'a guarded pod',
    async () => {
      await createOne(during);
      const answer = await create(clinic, makePod());
      return answer.status === 201 && hasGuard(answer.body) ? true : null;
    },
    180,
  );
  expect([during.unguarded, during.blocked]).toEqual([[], []]);
  await kubectl(['rollout', 'status', 'deployment/lazaret-controller', '--namespace=lazaret', '--timeout=120s']);
  await expectOldPodIsTaken();
}, 400_000);
