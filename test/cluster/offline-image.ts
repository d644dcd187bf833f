// An image as a container on a machine that has nothing else: its files, one folder of the caller's, no network.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type CommandResult, runCommand, tryCommand } from './run-command.ts';

/** An unpacked image. */
export interface OfflineImage {
  /** Runs its entry point to the end, as `podman run --network=none --user=0:0 --volume=FOLDER:/audit:ro` does. */
  readonly run: (folder: string, args: readonly string[]) => Promise<CommandResult>;
  readonly remove: () => Promise<void>;
}

interface ImageConfig {
  readonly config: { readonly Entrypoint: readonly string[]; readonly Env: readonly string[] };
}

interface Described {
  readonly digest: string;
}

/** The form of what `runc spec` writes, as far as it is changed. */
interface RuntimeSpec {
  root: object;
  process: { readonly [field: string]: unknown };
  readonly mounts: object[];
  readonly linux: { resources?: object };
}

/** Unpacks an image of an OCI archive. */
export async function unpackImage(archive: string): Promise<OfflineImage> {
  const dir = await mkdtemp(join(tmpdir(), 'lazaret-offline-'));
  const layout = join(dir, 'oci');
  const root = join(dir, 'root');
  for (const folder of [layout, root]) await mkdir(folder);
  await runCommand(['tar', '-C', layout, '-xf', archive]);
  const blob = ({ digest }: Described): string => join(layout, 'blobs', digest.replace(':', '/'));
  const { manifests } = await readJson<{ readonly manifests: readonly [Described] }>(join(layout, 'index.json'));
  const manifest = await readJson<{ readonly config: Described; readonly layers: readonly Described[] }>(
    blob(manifests[0]),
  );
  for (const layer of manifest.layers) await runCommand(['tar', '-C', root, '-xzf', blob(layer)]);
  const { config } = await readJson<ImageConfig>(blob(manifest.config));
  return {
    run: (folder, args) => runContainer({ dir, root, folder, args: [...config.Entrypoint, ...args], env: config.Env }),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

interface Container {
  readonly dir: string;
  readonly root: string;
  readonly folder: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
}

/** runc's own specification has a network namespace with nothing in it. */
async function runContainer({ dir, root, folder, args, env }: Container): Promise<CommandResult> {
  const bundle = await mkdtemp(join(dir, 'bundle-'));
  await runCommand(['runc', 'spec', '--bundle', bundle]);
  const file = join(bundle, 'config.json');
  const spec = await readJson<RuntimeSpec>(file);
  spec.root = { path: root, readonly: true };
  const none = { bounding: [], effective: [], permitted: [] };
  const user = { uid: 0, gid: 0 };
  spec.process = { ...spec.process, terminal: false, user, cwd: '/audit', args, env, capabilities: none };
  spec.mounts.push({ destination: '/audit', type: 'bind', source: folder, options: ['bind', 'ro'] });
  delete spec.linux.resources;
  await writeFile(file, JSON.stringify(spec));
  return tryCommand(['runc', '--root', join(dir, 'state'), 'run', '--bundle', bundle, `offline-${basename(bundle)}`]);
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}
