import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Program } from '../bundle.ts';
import { isLoopback } from './options.ts';
import { runCommand } from './run-command.ts';
import { stagePrograms } from './stage-programs.ts';

/** One built image, as an installation names it. */
export interface BuiltImage {
  readonly program: Program;
  /** Without a tag. */
  readonly repository: string;
  readonly tag: string;
  /** `sha256:...` of the manifest, where it was pushed last. */
  readonly digest: string;
  /** The OCI archive. */
  readonly archive: string;
}

/** What to build of which base, and where to. */
export interface BuildOptions {
  readonly programs: readonly Program[];
  /** An OCI archive (`.tar`) or a reference that buildah can pull. */
  readonly base: string;
  readonly out: string;
  readonly push?: string;
  readonly say: (line: string) => void;
}

/** buildah with a store of its own, which is gone afterwards: no daemon, no registry, nothing left on the machine. */
type Buildah = (...words: readonly string[]) => Promise<string>;

/**
 * Builds the Dockerfile's targets into OCI archives, and pushes them when a registry is named. Two builds of the same sources on the
 * same base give the same digests: every time stamp is 0.
 * @throws Error with what buildah or the bundler said
 */
export async function buildImages(options: BuildOptions): Promise<readonly BuiltImage[]> {
  const { programs, out, say } = options;
  await mkdir(out, { recursive: true });
  const work = await mkdtemp(join(out, '.work-'));
  try {
    const context = join(work, 'context');
    await mkdir(context);
    say(`bundling ${programs.join(', ')}`);
    const version = await stagePrograms(context, programs);
    const buildah = await isolatedBuildah(work);
    const base = await pullBase(buildah, options.base);
    const built: BuiltImage[] = [];
    for (const program of programs) {
      say(`building ${program}`);
      const image = `localhost/lazaret/${program}:${version}`;
      const settings = ['--layers', '--timestamp', '0', '--format', 'oci', '--pull-never'];
      const words = ['--build-arg', `BASE=${base}`, '--build-arg', `VERSION=${version}`, '--tag', image];
      await buildah('build', ...settings, '--target', program, ...words, context);
      built.push(await deliver(buildah, { ...options, work, program, image }));
    }
    return built;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function isolatedBuildah(work: string): Promise<Buildah> {
  const asked = process.env.STORAGE_DRIVER;
  if (asked !== undefined) return buildahIn(join(work, 'images'), asked);
  // vfs works everywhere, but copies the whole image for every layer; not every file system can lie under overlay.
  const overlay = await buildahIn(join(work, 'probe'), 'overlay')('info').catch(() => null);
  return buildahIn(join(work, 'images'), overlay === null ? 'vfs' : 'overlay');
}

function buildahIn(folder: string, driver: string): Buildah {
  const store = ['--root', join(folder, 'store'), '--runroot', join(folder, 'run'), '--storage-driver', driver];
  const env = { ...process.env, BUILDAH_ISOLATION: 'chroot', TMPDIR: dirname(folder) };
  return (...words) => runCommand(['buildah', ...store, ...words], env);
}

async function pullBase(buildah: Buildah, base: string): Promise<string> {
  const source = base.endsWith('.tar') ? `oci-archive:${base}` : base;
  const id = await buildah('pull', '--quiet', source);
  return id.trim();
}

interface Delivery extends Pick<BuildOptions, 'out' | 'push'> {
  readonly work: string;
  readonly program: Program;
  /** `localhost/lazaret/NAME:TAG` in the store. */
  readonly image: string;
}

async function deliver(buildah: Buildah, { work, program, image, out, push }: Delivery): Promise<BuiltImage> {
  const archive = join(out, `${program}.tar`);
  const [name = image, tag = ''] = image.split(/:(?=[^:/]+$)/);
  const digestFile = join(work, 'digest');
  const send = async (...words: readonly string[]): Promise<string> => {
    await buildah('push', '--quiet', '--format', 'oci', '--digestfile', digestFile, ...words);
    return (await readFile(digestFile, 'utf8')).trim();
  };
  await rm(archive, { force: true });
  const digest = await send(image, `oci-archive:${archive}:${image}`);
  if (push === undefined) return { program, repository: name, tag, digest, archive };
  const repository = `${push}/lazaret/${program}`;
  const plain = isLoopback(push) ? ['--tls-verify=false'] : [];
  const pushed = await send(...plain, image, `docker://${repository}:${tag}`);
  return { program, repository, tag, digest: pushed, archive };
}

/** @returns values for `helm install -f`: the images by name and digest */
export function formatValues(images: readonly BuiltImage[]): string {
  const blocks = images.map(({ program, repository, tag, digest }) =>
    [`${program}:`, '  image:', `    repository: ${repository}`, `    tag: "${tag}"`, `    digest: ${digest}`].join(
      '\n',
    ),
  );
  return `${blocks.join('\n')}\n`;
}
