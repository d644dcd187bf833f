// Run as the first process of new network, mount and PID namespaces: makes a pod network whose outside answers on every
// address, guards it with the real lazaret-init, sends packets from inside under several uids, and prints what happened.
import { execFile, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePodNetwork, POD_NETWORK } from '#cli/pod/network.ts';
import type { Probe } from './packet-probe.ts';

export const UID = 31_313;
export const GID = 42_424;

/** Probes by what they show. */
export const PROBES = {
  'tcp 443': { tcp: '203.0.113.7', port: 443 },
  'tcp 22': { tcp: '203.0.113.7', port: 22 },
  'tcp to a private address': { tcp: '10.1.2.3', port: 5432 },
  'tcp to the resolver': { tcp: POD_NETWORK.outer, port: 53 },
  'tcp v6': { tcp: '2001:db8::7', port: 443 },
  'tcp v4-mapped': { tcp: '::ffff:203.0.113.7', port: 443 },
  'tcp to the own address': { tcp: POD_NETWORK.pod, port: 8080 },
  'tcp to loopback': { tcp: '127.0.0.1', port: 8080 },
  'udp 443': { udp: '203.0.113.7', port: 443 },
  'udp 443 v6': { udp: '2001:db8::7', port: 443 },
  'udp 853': { udp: '203.0.113.7', port: 853 },
  'udp 5000': { udp: '203.0.113.7', port: 5000 },
  'dns to the resolver': { udp: POD_NETWORK.outer, port: 53 },
  'dns to another': { udp: '203.0.113.7', port: 53 },
  'dns to another v6': { udp: '2001:db8::7', port: 53 },
  'listed udp': { udp: '203.0.113.9', port: 123 },
  'listed udp, other port': { udp: '203.0.113.9', port: 5000 },
} as const satisfies Record<string, Probe>;

export type ProbeName = keyof typeof PROBES;

/** Everything that the stage saw. */
export interface Stage {
  readonly init: { readonly status: number; readonly stderr: string };
  readonly again: { readonly status: number; readonly stderr: string };
  readonly answers: Readonly<
    Record<'application' | 'uidAlone' | 'gidAlone' | 'sidecar' | 'root', Readonly<Record<ProbeName, string>>>
  >;
  readonly inbound: string;
  /** What an application's reply to a datagram that came unasked from port 443 met. */
  readonly unasked: string;
  /** The rules after the first and the second run, counters at zero. */
  readonly rules: readonly [string, string];
  readonly foreignTable: boolean;
  readonly noSidecar: string;
}

const ROOT = join(import.meta.dirname, '../..');
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning'] as const;

function run(netns: string, command: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  return new Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }>((resolve) => {
    execFile('nsenter', [`--net=${netns}`, '--', ...command], { env, encoding: 'utf8' }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}

async function serve(answer: string, port: number, host: string): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined).end(answer));
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

/** Opens the outside: one TCP listener behind every port, and UDP that answers on the ports that are tried. */
async function openOutside(): Promise<void> {
  // IPv6 lets a socket be bound to an address of its own only.
  spawnSync('ip', ['addr', 'add', '2001:db8::7/128', 'dev', 'lo', 'nodad']);
  await serve('outside', POD_NETWORK.relayPort, '::');
  for (const port of [443, 853, 5000, 53, 123]) {
    for (const family of ['udp4', 'udp6'] as const) {
      // One socket for each address, because a wildcard socket would answer from another one.
      for (const address of family === 'udp4' ? ['203.0.113.7', '203.0.113.9', POD_NETWORK.outer] : ['2001:db8::7']) {
        const socket = createSocket(family);
        socket.on('message', (_bytes, peer) => socket.send('outside', peer.port, peer.address));
        socket.bind(port, address);
        await once(socket, 'listening');
      }
    }
  }
}

/** Listeners that live in the pod, held by a process there. */
const POD_LISTENERS = `
const net = require('net'), dgram = require('dgram');
const serve = (answer, port, host) => new Promise((done) => net.createServer((s) => s.on('error', () => {}).end(answer)).listen(port, host, done));
(async () => {
  if (process.argv[1] === 'guard') { await serve('guard', 15001, '127.0.0.1'); await serve('guard', 15001, '::1'); }
  else {
    await serve('pod', 8080, '::');
    const socket = dgram.createSocket('udp4');
    socket.on('message', (bytes, peer) => socket.send('reply', peer.port, peer.address, (error) => console.log(error ? error.code : 'sent')));
    await new Promise((done) => socket.bind(40000, done));
  }
  console.log('listening');
})();`;

async function startListeners(netns: string, role: 'guard' | 'application') {
  const child = execFile('nsenter', [`--net=${netns}`, '--', ...NODE, '-e', POD_LISTENERS, role]);
  const lines: string[] = [];
  child.stdout?.on('data', (text: string) => lines.push(...text.split('\n').filter((line) => line !== '')));
  while (!lines.includes('listening')) await once(child.stdout ?? child, 'data');
  return { lines, next: () => once(child.stdout ?? child, 'data'), kill: () => child.kill('SIGKILL') };
}

async function probeAs(netns: string, uid: number, gid: number): Promise<Readonly<Record<ProbeName, string>>> {
  const names = Object.keys(PROBES) as ProbeName[];
  const words = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--', ...NODE];
  const probe = [join(import.meta.dirname, 'packet-probe.ts'), JSON.stringify(Object.values(PROBES))];
  const { stdout, stderr } = await run(netns, [...words, ...probe]);
  if (stdout === '') throw new Error(stderr);
  const answers = JSON.parse(stdout) as readonly string[];
  return Object.fromEntries(names.map((name, index) => [name, answers[index]])) as Readonly<Record<ProbeName, string>>;
}

async function play(): Promise<Stage> {
  const dir = mkdtempSync(join(tmpdir(), 'stage-'));
  const netns = join(dir, 'net');
  writeFileSync(netns, '');
  const path = process.env.PATH ?? '';
  makePodNetwork(
    netns,
    Object.values(PROBES)
      .flatMap((probe: Probe) => probe.tcp?.replace('::ffff:', '') ?? [])
      .filter((a) => a !== POD_NETWORK.pod && a !== '127.0.0.1'),
    path,
  );
  await openOutside();
  const env = {
    PATH: path,
    LAZARET_UID: String(UID),
    LAZARET_GID: String(GID),
    LAZARET_CA_DIR: join(dir, 'ca'),
    LAZARET_TRUST_DIR: join(dir, 'trust'),
    LAZARET_CONSTRAINTS: 'anthropic.com',
    LAZARET_RESOLVERS: POD_NETWORK.outer,
    LAZARET_UDP_ALLOWED: '203.0.113.8/31:123',
  };
  const init = () => run(netns, [...NODE, join(ROOT, 'sidecar/init.ts')], env);
  const nft = async (...words: readonly string[]) => (await run(netns, ['nft', ...words])).stdout;
  await nft('add table inet foreign');
  const first = await init();
  const firstRules = await nft('--stateless', 'list', 'table', 'inet', 'lazaret');
  const application = await startListeners(netns, 'application');
  const noSidecar = (await probeAs(netns, 1000, 1000))['tcp 443'];
  const guard = await startListeners(netns, 'guard');
  const answers = {
    application: await probeAs(netns, 1000, 1000),
    uidAlone: await probeAs(netns, UID, 1000),
    gidAlone: await probeAs(netns, 1000, GID),
    sidecar: await probeAs(netns, UID, GID),
    root: await probeAs(netns, 0, 0),
  };
  const inbound = await readAll(POD_NETWORK.pod, 8080);
  const knocker = createSocket('udp4');
  knocker.bind(0, '203.0.113.200');
  await once(knocker, 'listening');
  const heard = application.next();
  knocker.send('unasked', 40_000, POD_NETWORK.pod);
  await heard;
  guard.kill();
  const again = await init();
  const secondRules = await nft('--stateless', 'list', 'table', 'inet', 'lazaret');
  const foreignTable = (await nft('list', 'tables')).includes('inet foreign');
  application.kill();
  return {
    init: first,
    again,
    answers,
    inbound,
    unasked: application.lines.at(-1) ?? '',
    rules: [firstRules, secondRules],
    foreignTable,
    noSidecar,
  };
}

function readAll(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(port, host);
    socket.on('data', (bytes) => (said += bytes.toString()));
    socket.once('error', (error) => resolve(error.message));
    socket.once('end', () => resolve(said));
  });
}

if (import.meta.main) {
  const stage = await play();
  process.stdout.write(JSON.stringify(stage), () => process.exit(0));
}
