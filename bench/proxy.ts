import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GUARD_ENVIRONMENT, GUARD_FLAGS } from './guard-start.ts';
import type { Target } from './load.ts';
import type { Material } from './material.ts';
import type { Rival } from './options.ts';
import { CORE, findProgram, type Running, startProgram, until } from './process.ts';
import { LISTED_HOST, LLM_HOST, requestBytes } from './prompt.ts';
import { answers, freePort, NODE_FLAGS, type World } from './world.ts';

/** A program between the load generator and the upstream. */
export interface Proxy {
  readonly name: Rival;
  /** Null for the way without one. */
  readonly program: Running | null;
  /** The target for a request to one of the upstream's ports. */
  readonly target: (upstreamPort: number, body: Buffer) => Target;
  /** Waits until it has nothing more to do for what was asked. */
  readonly settle: () => Promise<void>;
}

/** What the proxies stand between. */
export interface Setting {
  readonly material: Material;
  readonly world: World;
  /** The bundled programs. */
  readonly dist: string;
  readonly profile: string | null;
}

const nothing = async (): Promise<void> => await Promise.resolve();

type StartOne = (setting: Setting) => Promise<Proxy | string>;

const STARTERS: Readonly<Record<Rival, StartOne>> = {
  direct: async (setting) => await Promise.resolve(direct(setting)),
  haproxy: startHaproxy,
  mitmproxy: startMitmproxy,
  splice: async (setting) => await startGuard('splice', setting),
  terminate: startForwarder,
  full: async (setting) => await startGuard('full', setting),
  'full-nosync': async (setting) => await startGuard('full-nosync', setting),
};

/** Starts one. @returns a sentence when it is not installed */
export async function startProxy(name: Rival, setting: Setting): Promise<Proxy | string> {
  return await STARTERS[name](setting);
}

function direct({ material: { upstreamRoot } }: Setting): Proxy {
  const target = (port: number, body: Buffer): Target => ({
    port,
    servername: LLM_HOST,
    root: upstreamRoot,
    request: requestBytes(LLM_HOST, port, body),
  });
  return { name: 'direct', program: null, target, settle: nothing };
}

async function startHaproxy({ material, world }: Setting): Promise<Proxy | string> {
  const haproxy = findProgram('haproxy');
  if (haproxy === null) return 'haproxy is not installed: apt-get install haproxy';
  const { dir, upstreamRoot } = material;
  const port = await freePort();
  const config = `global
  nbthread 1
  maxconn 512
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  http-reuse always
frontend in
  bind 127.0.0.1:${port} ssl crt ${dir}/${LLM_HOST}.pem
  default_backend out
backend out
  server upstream 127.0.0.1:${world.ports.plain} ssl verify required ca-file ${material.upstreamRootFile} sni str(${LLM_HOST}) verifyhost ${LLM_HOST}
`;
  writeFileSync(`${dir}/haproxy.cfg`, config);
  const program = startProgram({ command: [haproxy, '-db', '-q', '-f', `${dir}/haproxy.cfg`], core: CORE.guard });
  await until('haproxy', program, () => answers(port));
  return { name: 'haproxy', program, target: fixedTarget(port, upstreamRoot), settle: nothing };
}

async function startMitmproxy({ material, world }: Setting): Promise<Proxy | string> {
  const mitmdump = findProgram('mitmdump');
  if (mitmdump === null) return 'mitmproxy is not installed: apt-get install mitmproxy, or pip install mitmproxy';
  const { dir } = material;
  const port = await freePort();
  const settings = [
    `confdir=${dir}/mitm`,
    `ssl_verify_upstream_trusted_ca=${material.upstreamRootFile}`,
    `certs=*=${dir}/${LLM_HOST}.pem`,
    'keep_host_header=true',
    'http2=false',
    'flow_detail=0',
  ];
  const mode = `reverse:https://${LLM_HOST}:${world.ports.plain}`;
  // The name leads to the upstream on this machine by mitmproxy's own hook: it resolves by the system otherwise.
  writeFileSync(`${dir}/mitm_upstream.py`, MITM_SCRIPT.replaceAll('PORT', String(world.ports.plain)));
  const program = startProgram({
    command: [
      mitmdump,
      '-q',
      '--mode',
      mode,
      '--listen-host',
      '127.0.0.1',
      '--listen-port',
      String(port),
      '-s',
      `${dir}/mitm_upstream.py`,
      ...settings.flatMap((setting) => ['--set', setting]),
    ],
    core: CORE.guard,
  });
  await until('mitmproxy', program, () => answers(port));
  return { name: 'mitmproxy', program, target: fixedTarget(port, material.upstreamRoot), settle: nothing };
}

const MITM_SCRIPT = `def server_connect(data):
    data.server.address = ("127.0.0.1", PORT)
    data.server.sni = "${LLM_HOST}"
`;

/** A proxy that knows its upstream by itself and shows the upstream's own certificate. */
function fixedTarget(port: number, root: string): Proxy['target'] {
  return (upstream, body) => ({ port, servername: LLM_HOST, root, request: requestBytes(LLM_HOST, upstream, body) });
}

async function startForwarder({ material, dist }: Setting): Promise<Proxy> {
  const port = await freePort();
  const program = startProgram({
    command: [process.execPath, ...GUARD_FLAGS, ...NODE_FLAGS, join(dist, 'forwarder.js')],
    core: CORE.guard,
    environment: {
      ...GUARD_ENVIRONMENT,
      BENCH_LISTEN: String(port),
      BENCH_CA_DIR: material.authorityDir,
      BENCH_ROOT: material.upstreamRootFile,
      BENCH_HOST: LLM_HOST,
    },
  });
  await until('the forwarder', program, () => answers(port));
  return { name: 'terminate', program, target: tunnelTarget(port, LLM_HOST, material.podRoot), settle: nothing };
}

/** The guard is asked by CONNECT: what follows on the connection is what a redirected one would carry. */
function tunnelTarget(port: number, host: string, root: string): Proxy['target'] {
  return (upstream, body) => ({
    port,
    tunnel: `${host}:${upstream}`,
    servername: host,
    root,
    request: requestBytes(host, upstream, body),
  });
}

/** Starts the product's sidecar as the image does, but for the redirect, which needs root. @param name of the row and its folders */
export async function startGuard(name: 'splice' | 'full' | 'full-nosync', setting: Setting): Promise<Proxy> {
  const { material, world, dist } = setting;
  const { dir } = material;
  const [port, ops] = await Promise.all([freePort(), freePort()]);
  const chain = `bench-${name}-${port}`;
  const spool = join(dir, `spool-${chain}`);
  mkdirSync(spool, { mode: 0o700 });
  const profiled =
    setting.profile !== null && name !== 'splice' ? ['--cpu-prof', `--cpu-prof-dir=${setting.profile}`] : [];
  const program = startProgram({
    command: [process.execPath, ...GUARD_FLAGS, ...NODE_FLAGS, ...profiled, join(dist, 'sidecar.js')],
    core: CORE.guard,
    environment: {
      ...GUARD_ENVIRONMENT,
      LAZARET_BUNDLE: join(dir, 'bundle'),
      LAZARET_BUNDLE_KEY: join(dir, 'bundle.public.jwk'),
      LAZARET_CA_DIR: material.authorityDir,
      LAZARET_RECIPIENTS: join(dir, 'recipients.public.jwks'),
      LAZARET_SPOOL: spool,
      LAZARET_COLLECTOR: world.collector.url,
      LAZARET_COLLECTOR_CA: material.upstreamRootFile,
      LAZARET_ENROL_TOKEN: join(dir, 'token'),
      LAZARET_UPSTREAM_CA: material.upstreamRootFile,
      LAZARET_RESOLVERS: world.resolver,
      LAZARET_LISTEN: `127.0.0.1:${port}`,
      LAZARET_OPS: `127.0.0.1:${ops}`,
      LAZARET_POD_NAMESPACE: 'phi',
      LAZARET_POD_NAME: 'bench',
      LAZARET_POD_UID: 'bench',
      LAZARET_CHAIN: chain,
      LAZARET_PROXY_MODE: 'on',
      LAZARET_SYNC: name === 'full-nosync' ? 'off' : 'on',
    },
  });
  const url = `http://127.0.0.1:${ops}`;
  await until('the guard', program, async () => (await fetch(`${url}/readyz`)).status === 200);
  const host = name === 'splice' ? LISTED_HOST : LLM_HOST;
  const root = name === 'splice' ? material.upstreamRoot : material.podRoot;
  return { name, program, target: tunnelTarget(port, host, root), settle: () => drained(program, `${url}/metrics`) };
}

/** Waits until all evidence has its receipt: what the guard does after an answer belongs to its cost. */
async function drained(program: Running, metrics: string): Promise<void> {
  const isDrained = async (): Promise<boolean> =>
    /^lazaret_audit_lag_seconds 0$/m.test(await (await fetch(metrics)).text());
  await until('the last receipt', program, isDrained, 30_000);
}
