// The image of applications that know nothing of Lazaret: Debian with five languages, the providers' SDKs, and programs/.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { writeImageArchive } from '../../../tools/image/image-archive.ts';
import { loadImage } from '../load-image.ts';
import { withLock } from '../lock.ts';
import type { ClusterPlace } from '../place.ts';
import { runCommand } from '../run-command.ts';

/** The image, as a node knows it and as an archive. */
export interface ClientsImage {
  /** `localhost/lazaret-clients:SUM` */
  readonly name: string;
  /** `localhost/lazaret-clients@sha256:...`: as a kubelet says which image a container runs. */
  readonly id: string;
  readonly archive: string;
}

const CACHE = join(homedir(), '.cache/lazaret/clients');
const PROGRAMS = join(import.meta.dirname, 'programs');
const ROOT = join(import.meta.dirname, '../../..');

/** The languages as Debian has them. The compiler of Java is not among them: programs come compiled. */
const PACKAGES = 'ca-certificates,libatomic1,curl,wget,python3,ruby,php-cli,php-curl,default-jre-headless';

const DISPENSABLE = ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale'];

/** The files by which clients of this image decide whom they trust; their sums are kept in the image. */
const TRUST_STORES = [
  'etc/ssl/openssl.cnf',
  'etc/ssl/certs/ca-certificates.crt',
  'etc/ssl/certs/java/cacerts',
  'opt/python/certifi/cacert.pem',
  'opt/python/botocore/cacert.pem',
] as const;

type Say = (line: string) => void;

/**
 * Makes the image once for each content of the recipe: minutes when cold, nothing afterwards. Debian and the Python packages are kept
 * apart, so that a changed program costs seconds.
 */
export function clientsImage(say: Say): Promise<ClientsImage> {
  return withLock('clients-image', async () => {
    const sum = await hashRecipe();
    const archive = join(CACHE, `clients-${sum}.tar`);
    const name = `localhost/lazaret-clients:${sum}`;
    if (existsSync(archive)) return describeImage(name, archive);
    await installTools(say);
    const debian = await makeFolder(`debian-${hashText(PACKAGES)}`, (folder) => makeDebian(folder, say));
    const python = await makeFolder(`python-${hashText(await readText('requirements.txt'))}`, (folder) =>
      installPython(folder, debian, say),
    );
    say('building the programs of the clients image');
    const work = await mkdtemp(join(CACHE, 'work-'));
    try {
      await buildPrograms(work);
      await sumTrustStores([debian, python], join(work, 'clients/trust.sha256'));
      const env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'PYTHONPATH=/opt/python'];
      await writeImageArchive({ name, layers: [debian, python, work], env }, archive);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    await removeOthers([archive, debian, python]);
    return describeImage(name, archive);
  });
}

async function describeImage(name: string, archive: string): Promise<ClientsImage> {
  const index = JSON.parse(await runCommand(['tar', '-xOf', archive, 'index.json'])) as {
    readonly manifests: readonly { readonly digest: string }[];
  };
  return { name, id: `${name.replace(/:\w+$/, '')}@${index.manifests[0]?.digest ?? ''}`, archive };
}

/** Takes the image into the node, unless it is there. */
export async function loadClientsImage(place: ClusterPlace, { name, archive }: ClientsImage): Promise<void> {
  const mark = join(place.state, 'clients-image');
  if ((await readFile(mark, 'utf8').catch(() => '')) === name) return;
  await loadImage(place, archive);
  await writeFile(mark, name);
}

const hashText = (text: string): string =>
  createHash('sha256').update(`${process.arch}\n${text}`).digest('hex').slice(0, 16);

const readText = (name: string): Promise<string> => readFile(join(PROGRAMS, name), 'utf8');

async function hashRecipe(): Promise<string> {
  const entries = await readdir(PROGRAMS, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sdks = ['@anthropic-ai/sdk', 'openai'].map((name) => join(ROOT, 'node_modules', name, 'package.json'));
  const hash = createHash('sha256').update(`${process.version} ${process.arch} ${PACKAGES}`);
  for (const file of [import.meta.filename, ...files.toSorted(), ...sdks]) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

/** Java's compiler and pip are needed on this machine, not in the image. */
async function installTools(say: Say): Promise<void> {
  const works = (words: readonly string[]) =>
    runCommand(words).then(
      () => true,
      () => false,
    );
  const missing = [
    ...((await works(['javac', '-version'])) ? [] : ['default-jdk-headless']),
    ...((await works(['python3', '-m', 'pip', '--version'])) ? [] : ['python3-pip']),
  ];
  if (missing.length === 0) return;
  say(`installing ${missing.join(' ')}`);
  await runCommand(['apt-get', 'update', '-qq']);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await runCommand(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...missing], { env });
}

/** A folder of the cache that is there whole or not at all. */
async function makeFolder(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  const making = `${folder}.making`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { recursive: true });
  await make(making);
  await rename(making, folder);
  return folder;
}

async function makeDebian(folder: string, say: Say): Promise<void> {
  say('making the Debian of the clients image, once; some minutes');
  await runCommand(['debootstrap', '--variant=minbase', `--include=${PACKAGES}`, 'bookworm', folder]);
  for (const dispensable of DISPENSABLE) await rm(join(folder, dispensable), { recursive: true, force: true });
}

/**
 * The packages for the image's Python, 3.11, whichever Python this machine has. They come compiled: with a read-only root a pod would
 * compile all of them at each start. Unchecked, because all times in an image are 0.
 */
async function installPython(folder: string, debian: string, say: Say): Promise<void> {
  say('fetching the Python packages of the clients image');
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const platforms = ['manylinux2014', 'manylinux_2_28'].map((tag) => `--platform=${tag}_${machine}`);
  const wheels = ['--only-binary=:all:', '--python-version=3.11', ...platforms];
  const target = join(folder, 'opt/python');
  const requirements = join(PROGRAMS, 'requirements.txt');
  const quiet = ['--quiet', '--no-compile', '--root-user-action=ignore'];
  await runCommand(['python3', '-m', 'pip', 'install', ...quiet, ...wheels, '--target', target, '-r', requirements]);
  await mkdir(join(debian, 'opt/python'), { recursive: true });
  const compile = 'python3 -m compileall -q --invalidation-mode unchecked-hash /opt/python';
  // The mount is gone with its namespace, and thus with the command.
  const script = `mount --bind "$0" "$1/opt/python" && exec chroot "$1" ${compile}`;
  await runCommand(['unshare', '--mount', '--propagation=private', 'sh', '-c', script, target, debian]);
}

async function buildPrograms(layer: string): Promise<void> {
  const out = join(layer, 'clients');
  await mkdir(out, { recursive: true });
  for (const name of ['python.py', 'client.rb', 'client.php', 'curl.sh', 'start.sh'])
    await copyFile(join(PROGRAMS, name), join(out, name));
  for (const name of ['curl.sh', 'start.sh']) await chmod(join(out, name), 0o755);
  await build({
    input: fileURLToPath(import.meta.resolve('./programs/node.ts')),
    platform: 'node',
    logLevel: 'warn',
    output: { file: join(out, 'node.mjs'), format: 'esm', codeSplitting: false },
  });
  await runCommand(['javac', '--release', '17', '-d', out, join(PROGRAMS, 'Client.java')]);
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false -mod=readonly' };
  await runCommand(['go', 'build', '-trimpath', '-ldflags', '-s -w', '-o', join(out, 'go'), '.'], {
    cwd: join(PROGRAMS, 'go'),
    env,
  });
  await mkdir(join(layer, 'usr/local/bin'), { recursive: true });
  await cp(process.execPath, join(layer, 'usr/local/bin/node'));
}

/** Writes what the image's own trust stores are, for `sha256sum --check` inside the pod. */
async function sumTrustStores(layers: readonly string[], file: string): Promise<void> {
  const lines = TRUST_STORES.map(async (path) => {
    const layer = layers.find((folder) => existsSync(join(folder, path)));
    if (layer === undefined) throw new Error(`the clients image has no ${path}`);
    return `${createHash('sha256')
      .update(await readFile(join(layer, path)))
      .digest('hex')}  ${path}\n`;
  });
  await writeFile(file, (await Promise.all(lines)).join(''));
}

async function removeOthers(kept: readonly string[]): Promise<void> {
  for (const name of await readdir(CACHE)) {
    if (!kept.includes(join(CACHE, name))) await rm(join(CACHE, name), { recursive: true, force: true });
  }
}
