// The product as one installation in the test cluster: images, volume, keys, a provider's stand-in, the chart.
import { webcrypto } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CHART } from '#test/chart/chart-files.ts';
import type { Script } from '#test/fake/answer.ts';
import { makeTestAuthority, type TestAuthority } from '#test/fake/test-authority.ts';
import { valuesFile } from './helm-command.ts';
import { loadProductImages, productImages } from './product-images.ts';
import { makeVolume, removeVolume, volumeFolder } from './product-volume.ts';
import { type ProviderStandIn, startProviderStandIn } from './provider-stand-in.ts';
import { runCommand } from './run-command.ts';
import { kubectl, PLACE, tryHelm, tryKubectl } from './test-cluster.ts';

/** What a file of tests needs of the installation. */
export interface ProductOptions {
  /** Names that the stand-in provider serves; default: Anthropic's and OpenAI's. */
  readonly hosts?: readonly string[];
  /** The stand-in's answers; default: they repeat what was asked. */
  readonly script?: Script;
  /** Further values of the chart, YAML. */
  readonly values?: string;
}

/** The installed product: release `lazaret` in namespace `lazaret`. */
export interface Product {
  readonly provider: ProviderStandIn;
  /** The folder of `lazaret keys init`. */
  readonly keys: string;
  /** The collector's store, as it is on the volume: readable by this machine at any time. */
  readonly store: string;
  /** Ends the stand-in and leaves the installation for the next file. */
  readonly leave: () => Promise<void>;
  /** Leaves the cluster as it was before. */
  readonly uninstall: () => Promise<void>;
}

/** What `ProductOptions` gives, complete. */
interface Prepared {
  readonly provider: ProviderStandIn;
  readonly keys: string;
  /** Helm's arguments for what this cluster has and others have not. */
  readonly helmArgs: readonly string[];
}

const ROOT = join(CHART, '../..');
const STATE = join(PLACE.state, 'product');
const CRDS = ['egresspolicies', 'guardexemptions', 'provideragreements', 'policyparameters'];
const HOSTS = ['api.anthropic.com', 'api.openai.com'] as const;

const say = (line: string): void => void process.stderr.write(`product: ${line}\n`);

/**
 * Installs the product, or takes the installation that is there: with the same images and values it is only found to be healthy.
 * @throws with Helm's words
 */
export async function installProduct(options: ProductOptions = {}): Promise<Product> {
  const images = await productImages(say);
  await loadProductImages(PLACE, images);
  const prepared = await prepareProduct(options);
  const recipients = join(prepared.keys, 'recipients.public.jwks');
  const args = ['-f', join(images, 'images.values.yaml'), '--set-file', `audit.recipients=${recipients}`];
  const install = () => helmInstall([...args, ...prepared.helmArgs]);
  if (!(await install())) {
    // An earlier run was ended in the middle of an installation.
    await clearProduct();
    await makeVolume(PLACE);
    if (!(await install())) throw new Error(`the chart cannot be installed: ${await describeRelease()}`);
  }
  return describeProduct(prepared);
}

/** Everything around the chart: the volume, keys and a stand-in provider whose root the guards trust. */
export async function prepareProduct(options: ProductOptions = {}): Promise<Prepared> {
  const authority = await keptAuthority();
  const root = join(STATE, 'provider-root.pem');
  await writeFile(root, authority.root);
  const { hosts = HOSTS, script, values } = options;
  const provider = await startProviderStandIn({ hosts, authority, ...(script === undefined ? {} : { script }) });
  await makeVolume(PLACE);
  const helmArgs = ['--set-file', `sidecar.upstreamRoots=${root}`, ...(values === undefined ? [] : valuesFile(values))];
  return { provider, keys: await keptKeys(), helmArgs };
}

/** The handle of an installation that a file of tests made by itself. */
export function describeProduct({ provider, keys }: Pick<Prepared, 'provider' | 'keys'>): Product {
  return {
    provider,
    keys,
    store: join(volumeFolder(PLACE), 'evidence'),
    leave: () => provider.stop(),
    uninstall: async () => {
      await provider.stop();
      await clearProduct();
    },
  };
}

/** Takes everything of the product out of the cluster, however much of it is there: as before a first installation. */
export async function clearProduct(): Promise<void> {
  await kubectl(['label', 'namespaces', '--all', 'lazaret.dev/guard-', '--overwrite']).catch(() => undefined);
  await tryHelm(['uninstall', 'lazaret', '--namespace=lazaret', '--ignore-not-found', '--wait', '--timeout=60s']);
  await kubectl(['delete', 'namespace', 'lazaret', '--ignore-not-found', '--timeout=120s']);
  const definitions = CRDS.map((name) => `${name}.lazaret.dev`);
  await kubectl(['delete', 'crd', ...definitions, '--ignore-not-found', '--timeout=60s']);
  await removeVolume(PLACE);
}

async function helmInstall(args: readonly string[]): Promise<boolean> {
  const where = ['lazaret', CHART, '--namespace=lazaret', '--create-namespace'];
  const { status, stderr } = await tryHelm(['upgrade', '--install', ...where, '--wait', '--timeout=180s', ...args]);
  if (status !== 0) say(stderr.trim());
  return status === 0;
}

async function describeRelease(): Promise<string> {
  const { stdout } = await tryKubectl(['get', 'pods,events', '--namespace=lazaret', '--sort-by=.metadata.name']);
  return stdout.split('\n').slice(-30).join('\n');
}

/** One authority as long as the cluster lives, so that an installation goes on trusting the next stand-in. */
async function keptAuthority(): Promise<TestAuthority> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
  const file = join(STATE, 'provider-authority.jwk');
  await mkdir(dirname(file), { recursive: true });
  if (!existsSync(file)) {
    const { privateKey } = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    await writeFile(file, JSON.stringify(await webcrypto.subtle.exportKey('jwk', privateKey)));
  }
  const { d, key_ops: _, ...rest } = JSON.parse(await readFile(file, 'utf8')) as webcrypto.JsonWebKey;
  const load = (jwk: webcrypto.JsonWebKey, use: 'sign' | 'verify') =>
    webcrypto.subtle.importKey('jwk', jwk, algorithm, true, [use]);
  const [privateKey, publicKey] = await Promise.all([
    load({ ...rest, ...(d === undefined ? {} : { d }) }, 'sign'),
    load(rest, 'verify'),
  ]);
  return makeTestAuthority('Lazaret test root', { privateKey, publicKey });
}

/** One set of keys as long as the cluster lives. @returns its folder */
async function keptKeys(): Promise<string> {
  const folder = join(STATE, 'keys');
  if (existsSync(join(folder, 'recipients.public.jwks'))) return folder;
  await rm(folder, { recursive: true, force: true });
  await runCommand(['sh', 'cli/launch.sh', 'cli/main.ts', 'keys', 'init', '--out', folder], { cwd: ROOT });
  return folder;
}
