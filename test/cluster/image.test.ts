import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImages, type BuiltImage } from '../../tools/image/build-images.ts';
import { makeBaseImage } from './base-image.ts';
import { productImages } from './product-images.ts';

const PROGRAMS = ['controller', 'collector', 'sidecar', 'init', 'lazaret'] as const;
type Name = (typeof PROGRAMS)[number];
const PUSHED = 'lazaret';

/** On a disk, by global-setup.ts. */
const dir = mkdtempSync(join(tmpdir(), 'lazaret-image-'));
/** The archives that all tests of the cluster share. */
let folder = '';
/** What was built again. */
let images: readonly BuiltImage[] = [];
let registry: ChildProcess | null = null;
let port = 0;

interface ImageConfig {
  readonly Entrypoint: readonly string[];
  readonly Env: readonly string[];
  readonly User: string;
  readonly Labels: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

interface Ended {
  readonly code: number;
  readonly said: string;
}

beforeAll(async () => {
  port = await freePort();
  registry = startRegistry(port);
  const say = (line: string): void => void process.stderr.write(`image: ${line}\n`);
  folder = await productImages(say);
  // One target is built again and pushed: two builds of the same sources are the same image.
  const options = { programs: [PUSHED] as const, base: await makeBaseImage(say), out: join(dir, 'out'), say };
  images = await buildImages({ ...options, push: `127.0.0.1:${port}/team` });
  for (const program of PROGRAMS) unpack(program, join(folder, `${program}.tar`));
});
afterAll(() => {
  registry?.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function startRegistry(at: number): ChildProcess {
  const config = join(dir, 'registry.yml');
  const storage = { filesystem: { rootdirectory: join(dir, 'registry') } };
  writeFileSync(config, JSON.stringify({ version: 0.1, storage, http: { addr: `127.0.0.1:${at}` } }));
  return spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
}

const rootOf = (program: Name): string => join(dir, program, 'root');

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function unpack(program: Name, archive: string): void {
  const layout = join(dir, program, 'oci');
  mkdirSync(layout, { recursive: true });
  mkdirSync(rootOf(program));
  execFileSync('tar', ['-C', layout, '-xf', archive]);
  const blob = (digest: string): string => join(layout, 'blobs', digest.replace(':', '/'));
  const index = readJson(join(layout, 'index.json')) as { manifests: { digest: string }[] };
  const manifest = readJson(blob(index.manifests[0]?.digest ?? '')) as Manifest;
  for (const { digest } of manifest.layers) execFileSync('tar', ['-C', rootOf(program), '-xzf', blob(digest)]);
  execFileSync('cp', [blob(manifest.config.digest), join(dir, program, 'image.json')]);
}

function configOf(program: Name): ImageConfig {
  return (readJson(join(dir, program, 'image.json')) as { config: ImageConfig }).config;
}

interface Container {
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly user?: readonly [number, number];
  readonly capabilities?: readonly string[];
  /** Memory file systems. */
  readonly volumes?: readonly string[];
  /** Shell text that runs before, in the container's network. */
  readonly network?: string;
}

/** What is set of runc's own specification. */
interface RuntimeSpec {
  root: object;
  process: object;
  readonly mounts: object[];
  readonly linux: { namespaces: readonly { readonly type: string }[]; resources?: object };
}

let count = 0;

/** Runs the image as a kubelet would have it run: read-only root, no privileges, a uid of its own; to its end. */
function runImage(program: Name, container: Container = {}): Promise<Ended> {
  const bundle = join(dir, program, `bundle-${++count}`);
  mkdirSync(bundle);
  execFileSync('runc', ['spec', '--bundle', bundle]);
  const spec = readJson(join(bundle, 'config.json')) as RuntimeSpec;
  const { Entrypoint, Env } = configOf(program);
  const [uid, gid] = container.user ?? [31_234, 45_678];
  const kept = container.capabilities ?? [];
  spec.root = { path: rootOf(program), readonly: true };
  spec.process = {
    ...spec.process,
    terminal: false,
    user: { uid, gid },
    cwd: '/app',
    args: container.args ?? Entrypoint,
    env: [...Env, ...(container.env ?? [])],
    capabilities: { bounding: kept, effective: kept, permitted: kept },
    noNewPrivileges: true,
  };
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'network');
  delete spec.linux.resources;
  for (const destination of container.volumes ?? [])
    spec.mounts.push({ destination, type: 'tmpfs', source: 'tmpfs', options: ['mode=0777', 'nosuid', 'nodev'] });
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec));
  const start = `${container.network ?? ':'}; exec runc --root ${dir}/state run --bundle ${bundle} lazaret-image-${process.pid}-${count}`;
  return new Promise((resolve) => {
    execFile('unshare', ['--net', 'sh', '-c', start], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, said: stdout + stderr });
    });
  });
}

const NODE = '/usr/local/bin/node';

describe.each(PROGRAMS)('the image of %s', (program) => {
  it('holds no shell, no package manager, and no file that anybody but root may write', () => {
    const find = (...words: readonly string[]): string[] =>
      execFileSync('find', [rootOf(program), ...words], { encoding: 'utf8' })
        .split('\n')
        .filter((line) => line !== '' && line !== rootOf(program));
    const programs = find('-type', 'f', '-perm', '/111').filter((file) => !/\/lib(64)?\//.test(file));
    const expected = ['/usr/bin/env', NODE, ...(program === 'init' ? ['/usr/sbin/nft'] : [])];
    expect(programs.map((file) => file.slice(rootOf(program).length)).sort()).toEqual(expected.sort());
    expect(find('!', '-type', 'l', '-perm', '/022')).toEqual([]);
    expect(find('!', '-uid', '0')).toEqual([]);
    expect(find('-perm', '/6000')).toEqual([]);
  });

  it('starts under a read-only root, whatever NODE_OPTIONS say, and tells what it lacks', async () => {
    const user = program === 'init' ? ([0, 0] as const) : ([31_234, 45_678] as const);
    const { code, said } = await runImage(program, {
      user,
      env: ['NODE_OPTIONS=--require=/nowhere.js', 'NODE_DEBUG=tls'],
    });
    expect(code).toBeGreaterThan(0);
    expect(said).toMatch(program === 'lazaret' ? /Usage: lazaret/ : /LAZARET_\w+/);
    expect(said).not.toMatch(/nowhere|TLS \d|\n\s+at /);
  });

  it('says what it is', () => {
    const title = program === 'lazaret' ? 'lazaret' : `lazaret-${program}`;
    const version = images[0]?.tag;
    expect(configOf(program).Labels).toMatchObject({
      'org.opencontainers.image.title': title,
      'org.opencontainers.image.version': version,
    });
  });
});

it('an image that is built again is the same, and is at the registry under its digest', async () => {
  const [image] = images;
  const url = `http://127.0.0.1:${port}/v2/team/lazaret/${PUSHED}/manifests/${image?.digest ?? ''}`;
  const answer = await fetch(url, { headers: { accept: 'application/vnd.oci.image.manifest.v1+json' } });
  expect(answer.status).toBe(200);
  expect(image?.repository).toBe(`127.0.0.1:${port}/team/lazaret/${PUSHED}`);
  const again = JSON.parse(await answer.text()) as Manifest;
  const layout = join(dir, PUSHED, 'oci');
  const index = readJson(join(layout, 'index.json')) as { manifests: { digest: string }[] };
  const first = readJson(join(layout, 'blobs', (index.manifests[0]?.digest ?? '').replace(':', '/'))) as Manifest;
  expect(again.config.digest).toBe(first.config.digest);
});

it('nothing in a running sidecar can be written, and the part that is machine code loads', async () => {
  const script = `
    const fs = require('node:fs');
    const tried = ['/x', '/app/x', '/app/dist/sidecar.js', '/etc/protocols', '/tmp/x'].map((file) => {
      try { fs.writeFileSync(file, ''); return 'written'; } catch (error) { return error.code; }
    });
    import('/app/node_modules/koffi/index.js').then((koffi) => console.log(JSON.stringify([...new Set(tried), typeof koffi.default.load])));
  `;
  const { said } = await runImage('sidecar', { args: [NODE, '-e', script] });
  expect(JSON.parse(said)).toEqual(['EROFS', 'ENOENT', 'function']);
});

it('lazaret-init of the image guards a network with two capabilities and memory volumes', async () => {
  const address = 'ip link add br0 type bridge && ip addr add 10.9.8.2/24 dev br0 && ip link set br0 up';
  const ended = await runImage('init', {
    user: [0, 0],
    capabilities: ['CAP_NET_ADMIN', 'CAP_CHOWN'],
    volumes: ['/run/lazaret/trust', '/run/lazaret/ca', '/run/lazaret/settings'],
    network: `ip link set lo up && ${address} && ip route add default via 10.9.8.1`,
    env: [
      'LAZARET_UID=31234',
      'LAZARET_GID=45678',
      'LAZARET_CONSTRAINTS=anthropic.com',
      'LAZARET_RESOLVERS=10.9.8.1',
      'LAZARET_FILES={"recipients.jwks":"{}"}',
    ],
  });
  expect(ended).toMatchObject({ code: 0, said: expect.stringContaining('"redirect":"proven"') });
});
