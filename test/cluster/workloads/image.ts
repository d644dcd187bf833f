// The image of ordinary workloads: PostgreSQL and Redis as Debian has them, kubectl, and one Go program that is client and server.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { writeImageArchive } from '../../../tools/image/image-archive.ts';
import { makeBaseImage } from '../base-image.ts';
import { loadImage } from '../load-image.ts';
import { withLock } from '../lock.ts';
import { type ClusterPlace, CLIENTS } from '../place.ts';
import { runCommand } from '../run-command.ts';

const CACHE = join(homedir(), '.cache/lazaret/workloads');
const PROGRAM = join(import.meta.dirname, 'go');
const PACKAGES = ['postgresql-15', 'redis-server'] as const;

/** What comes with the packages and no test uses: a compiler for queries, and Perl. */
const DISPENSABLE = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/locale',
  'usr/share/i18n',
  'usr/share/perl*',
  'usr/lib/*/perl*',
  'usr/lib/*/libperl*',
  'usr/lib/*/libLLVM*',
  'usr/lib/*/libz3*',
  'usr/lib/postgresql/*/lib/bitcode',
];

/** Who runs the programs of this image: PostgreSQL wants a name for its user, and no root. */
export const WORKER = 1000;

type Say = (line: string) => void;

/**
 * Makes the image once for each content of the recipe and takes it into the node, unless it is there.
 * @returns its name
 */
export async function loadWorkloadsImage(place: ClusterPlace, say: Say): Promise<string> {
  const { name, archive } = await withLock('workloads-image', () => makeImage(say));
  const mark = join(place.state, 'workloads-image');
  if ((await readFile(mark, 'utf8').catch(() => '')) !== name) {
    await loadImage(place, archive);
    await writeFile(mark, name);
  }
  return name;
}

async function makeImage(say: Say): Promise<{ readonly name: string; readonly archive: string }> {
  const base = await makeBaseImage(say);
  const sum = await hashRecipe(base);
  const name = `localhost/lazaret-workloads:${sum}`;
  const archive = join(CACHE, `workloads-${sum}.tar`);
  if (existsSync(archive)) return { name, archive };
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'work-'));
  const [debian, added] = [join(work, 'debian'), join(work, 'added')];
  try {
    await unpackImage(base, debian);
    say(`fetching ${PACKAGES.join(', ')} for the workloads image`);
    await addPackages({ debian, added, archives: join(work, 'archives') });
    say('building the program of the workloads image; minutes when cold');
    await addPrograms(added);
    await mkdir(join(added, 'etc'), { recursive: true });
    await copyFile(join(debian, 'etc/passwd'), join(added, 'etc/passwd'));
    await appendFile(join(added, 'etc/passwd'), `worker:x:${WORKER}:${WORKER}::/tmp:/bin/sh\n`);
    // Before the wrappers of Debian, which are written in Perl.
    const path = '/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    await writeImageArchive({ name, layers: [debian, added], env: [`PATH=${path}`] }, archive);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  for (const other of await readdir(CACHE))
    if (join(CACHE, other) !== archive) await rm(join(CACHE, other), { recursive: true, force: true });
  return { name, archive };
}

async function hashRecipe(base: string): Promise<string> {
  const hash = createHash('sha256').update(await readFile(`${base}.made-of`));
  const sources = (await readdir(PROGRAM)).toSorted().map((name) => join(PROGRAM, name));
  for (const file of [import.meta.filename, ...sources]) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

/** Lays the layers of an OCI archive over one another in a folder. */
async function unpackImage(archive: string, folder: string): Promise<void> {
  const read = async (path: string) => JSON.parse(await runCommand(['tar', '-xOf', archive, path]));
  const blob = (digest: string): string => `blobs/${digest.replace(':', '/')}`;
  const index = (await read('index.json')) as { readonly manifests: readonly { readonly digest: string }[] };
  const manifest = (await read(blob(index.manifests[0]?.digest ?? ''))) as {
    readonly layers: readonly { readonly digest: string }[];
  };
  await mkdir(folder, { recursive: true });
  for (const { digest } of manifest.layers)
    await runCommand(['sh', '-c', 'tar -xOf "$0" "$1" | tar -C "$2" -xf -', archive, blob(digest), folder]);
}

interface AddedPackages {
  /** A Debian that lacks the packages. */
  readonly debian: string;
  readonly added: string;
  readonly archives: string;
}

/** Packages are unpacked only: their scripts would start what a pod starts itself. */
async function addPackages({ debian, added, archives }: AddedPackages): Promise<void> {
  await mkdir(join(archives, 'partial'), { recursive: true });
  await runCommand(['apt-get', 'update', '-qq']);
  const options = {
    'Dir::State::status': join(debian, 'var/lib/dpkg/status'),
    'Dir::Cache::archives': archives,
    'Debug::NoLocking': '1',
  };
  const set = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const install = ['--download-only', '--no-install-recommends', '-y', '-qq', 'install', ...PACKAGES];
  await runCommand(['apt-get', ...set, ...install]);
  for (const file of (await readdir(archives)).filter((name) => name.endsWith('.deb')))
    await runCommand(['dpkg-deb', '--extract', join(archives, file), added]);
  // In this Debian /lib and its like are links into /usr, which folders of a layer would replace.
  for (const name of ['bin', 'sbin', 'lib']) {
    if (!existsSync(join(added, name))) continue;
    await cp(join(added, name), join(added, 'usr', name), { recursive: true, verbatimSymlinks: true });
    await rm(join(added, name), { recursive: true });
  }
  await runCommand(['sh', '-c', `cd "$0" && rm -rf ${DISPENSABLE.join(' ')}`, added]);
}

async function addPrograms(added: string): Promise<void> {
  const out = join(added, 'usr/local/bin');
  await mkdir(out, { recursive: true });
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false -mod=readonly' };
  const build = ['nice', '-n', '5', 'go', 'build', '-trimpath', '-ldflags', '-s -w', '-o', join(out, 'workloads'), '.'];
  await runCommand(build, { cwd: PROGRAM, env });
  await copyFile(join(CLIENTS, 'kubectl'), join(out, 'kubectl'));
}
