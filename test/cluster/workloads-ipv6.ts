// This cluster has IPv4 only. A pod's network gets an IPv6 address, a default route, and somebody beyond it from the test, after the guard
// made its rules, as a cluster with both families would have given them before.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { runCommand, tryCommand } from './run-command.ts';
import { getObject } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

/** No range of this is private to the guard. */
export const OUTSIDE6 = '2600:1f00:6::1';
const POD6 = '2600:1f00:6::2';
export const PORT6 = 443;
export const UDP6 = 5000;

/** Somebody at the other end of a pod's interface. */
export interface Outside6 {
  /** What arrived, connections without a byte included. */
  readonly taken: readonly string[];
  /** Dials it from the pod's network under the numbers that the packet rules let out. @returns what was heard */
  readonly dialAsGuard: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

const LISTEN = `
import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
const server = createServer((socket) => {
  console.log('tcp');
  socket.on('error', () => {}).on('data', (bytes) => console.log('tcp: ' + bytes.toString('latin1').slice(0, 40))).write('outside');
});
server.listen({ host: '${OUTSIDE6}', port: ${PORT6}, ipv6Only: true }, () => {
  const socket = createSocket('udp6').on('message', (bytes) => console.log('udp: ' + bytes));
  socket.bind(${UDP6}, '${OUTSIDE6}', () => console.log('listening'));
});
`;

const DIAL = `
const socket = require('node:net').connect(${PORT6}, '${OUTSIDE6}');
socket.on('data', (bytes) => { console.log(String(bytes)); socket.destroy(); }).on('error', (error) => console.log(error.code));
`;

interface GuardedPod {
  readonly spec: {
    readonly initContainers: readonly {
      readonly name: string;
      readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number };
    }[];
  };
  readonly status: {
    readonly containerStatuses: readonly { readonly name: string; readonly containerID: string }[];
  };
}

/** Gives a pod IPv6 and listens at the other end. */
export async function openOutside6(namespace: string, name: string): Promise<Outside6> {
  const { spec, status } = (await getObject([`pod/${name}`, `--namespace=${namespace}`])) as unknown as GuardedPod;
  const pid = processOf(status.containerStatuses[0]?.containerID.replace('containerd://', '') ?? 'none');
  const inPod = ['nsenter', `--target=${pid}`, '--net', '--'];
  const taken: string[] = [];
  // The other end lies in a namespace of its own: the node keeps its IPv4.
  const far = spawn('unshare', ['--net', '--', 'sleep', 'infinity'], { stdio: 'ignore' });
  await waitFor('the other end', () => Promise.resolve(hasOwnNetwork(far.pid ?? 0) ? true : null), 10);
  const atFar = ['nsenter', `--target=${far.pid}`, '--net', '--'];
  await runCommand([
    ...inPod,
    'ip',
    'link',
    'add',
    'six',
    'type',
    'veth',
    'peer',
    'name',
    'six',
    'netns',
    `${far.pid}`,
  ]);
  for (const [words, address] of [
    [inPod, POD6],
    [atFar, OUTSIDE6],
  ] as const) {
    await runCommand([...words, 'ip', '-6', 'addr', 'add', `${address}/64`, 'dev', 'six', 'nodad']);
    await runCommand([...words, 'ip', 'link', 'set', 'six', 'up']);
  }
  await runCommand([...inPod, 'ip', '-6', 'route', 'add', 'default', 'via', OUTSIDE6, 'dev', 'six']);
  const listener = await listenAt([...atFar, process.execPath, '--input-type=module', '--eval', LISTEN], taken);
  const guard = spec.initContainers.find(({ name: container }) => container === 'lazaret-sidecar')?.securityContext;
  const as = ['setpriv', `--reuid=${guard?.runAsUser}`, `--regid=${guard?.runAsGroup}`, '--clear-groups', '--'];
  return {
    taken,
    dialAsGuard: async () => (await tryCommand([...inPod, ...as, process.execPath, '--eval', DIAL])).stdout.trim(),
    stop: async () => {
      listener.kill('SIGKILL');
      await tryCommand([...inPod, 'ip', 'link', 'del', 'six']);
      far.kill('SIGKILL');
    },
  };
}

async function listenAt([program = '', ...args]: readonly string[], taken: string[]): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => (line === 'listening' ? lines : taken).push(line));
  await waitFor('the listener', () => Promise.resolve(lines.length > 0 ? true : null), 20);
  return child;
}

/** `unshare` enters its new namespace a moment after it was started. */
function hasOwnNetwork(pid: number): boolean {
  return readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync('/proc/self/ns/net');
}

/** A process of a container, as the machine sees it. */
function processOf(container: string): number {
  const found = readdirSync('/proc').find((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cgroup`, 'utf8').includes(container);
    } catch {
      // It ended in between.
      return false;
    }
  });
  if (found === undefined) throw new Error('the container has no process on this machine');
  return Number(found);
}
