import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { withLock } from './lock.ts';
import { CACHE } from './place.ts';
import { runCommand } from './run-command.ts';

/** An upstream that is built from its Go module: test/cluster/go/NAME/go.mod pins it. */
interface GoPart {
  /** The module whose version names the cache folder. */
  readonly module: string;
  readonly packages: readonly string[];
  /** What the programs say of themselves. */
  readonly stamps: (version: string) => readonly string[];
}

const KUBERNETES = 'k8s.io/kubernetes';
const COMPONENT = 'k8s.io/component-base/version';
const CONTAINERD = 'github.com/containerd/containerd/v2';

const GO_PARTS = {
  kubernetes: {
    module: KUBERNETES,
    packages: ['kube-apiserver', 'kube-controller-manager', 'kubelet', 'kube-scheduler', 'kube-proxy'].map(
      (name) => `${KUBERNETES}/cmd/${name}`,
    ),
    // Without these the server is v0.0.0-master, which a chart's kubeVersion refuses.
    stamps: (version) => {
      const [major = '', minor = ''] = version.slice(1).split('.');
      return [`${COMPONENT}.gitVersion=${version}`, `${COMPONENT}.gitMajor=${major}`, `${COMPONENT}.gitMinor=${minor}`];
    },
  },
  containerd: {
    module: CONTAINERD,
    packages: ['containerd', 'containerd-shim-runc-v2', 'ctr'].map((name) => `${CONTAINERD}/cmd/${name}`),
    stamps: (version) => [`${CONTAINERD}/version.Version=${version}`],
  },
  coredns: {
    module: 'github.com/coredns/coredns',
    packages: ['github.com/coredns/coredns'],
    stamps: () => [],
  },
  helm3: {
    module: 'helm.sh/helm/v3',
    packages: ['helm.sh/helm/v3/cmd/helm'],
    stamps: (version) => [`helm.sh/helm/v3/internal/version.version=${version}`],
  },
} as const satisfies Record<string, GoPart>;

/** The same settings for all: others would compile everything again. */
const GO_ENV = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false -mod=readonly' };

type GoPartName = keyof typeof GO_PARTS;

/** Builds the program that holds a pod's namespaces; it has no version but its own text. @returns its file */
export async function buildPause(): Promise<string> {
  const dir = join(import.meta.dirname, 'go/pause');
  const sum = createHash('sha256')
    .update(await readFile(join(dir, 'main.go')))
    .digest('hex')
    .slice(0, 16);
  const file = join(CACHE, `pause-${sum}`);
  if (existsSync(file)) return file;
  const fresh = `${file}.${process.pid}`;
  await runCommand(['go', 'build', '-trimpath', '-ldflags', '-s -w', '-o', fresh, '.'], { cwd: dir, env: GO_ENV });
  await rename(fresh, file);
  return file;
}

/** @returns the version that the part's go.mod pins, e.g. `v1.36.3` */
export async function partVersion(name: GoPartName): Promise<string> {
  const text = await readFile(join(import.meta.dirname, 'go', name, 'go.mod'), 'utf8');
  const { module } = GO_PARTS[name];
  const version = text
    .split('\n')
    .map((line) =>
      line
        .trim()
        .replace(/^require /, '')
        .split(' '),
    )
    .find(([path]) => path === module)?.[1];
  if (version === undefined) throw new Error(`test/cluster/go/${name}/go.mod does not require ${module}`);
  return version;
}

/** @returns the folder with the part's programs */
export async function partFolder(name: GoPartName): Promise<string> {
  return join(CACHE, `${name}-${await partVersion(name)}`);
}

/**
 * Builds the programs of a part that are not in the cache yet; minutes when cold.
 * @param only the programs that are wanted; all by default
 * @returns their folder
 */
export async function buildPart(
  name: GoPartName,
  say: (line: string) => void,
  only?: readonly string[],
): Promise<string> {
  const part: GoPart = GO_PARTS[name];
  const folder = await partFolder(name);
  const wanted = part.packages.filter((path) => only?.includes(basename(path)) ?? true);
  const missing = () => wanted.filter((path) => !existsSync(join(folder, basename(path))));
  if (missing().length === 0) return folder;
  // Two clusters that start at once would compile everything twice.
  await withLock('build', async () => {
    await mkdir(folder, { recursive: true });
    for (const path of missing()) await buildProgram(name, path, say);
  });
  return folder;
}

async function buildProgram(name: GoPartName, path: string, say: (line: string) => void): Promise<void> {
  const version = await partVersion(name);
  const program = basename(path);
  const file = join(await partFolder(name), program);
  say(`building ${program} ${version} on ${availableParallelism()} cores`);
  const flags = ['-s', '-w', ...GO_PARTS[name].stamps(version).flatMap((stamp) => ['-X', stamp])].join(' ');
  const fresh = `${file}.${process.pid}`;
  const command = ['nice', '-n', '5', 'go', 'build', '-trimpath', '-ldflags', flags, '-o', fresh, path];
  await runCommand(command, { cwd: join(import.meta.dirname, 'go', name), env: GO_ENV });
  await rename(fresh, file);
}
