import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterPart } from './control-plane.ts';
import type { ClusterPlace } from './place.ts';
import { WORLD_RANGE } from './place.ts';
import { runCommand } from './run-command.ts';
import { waitFor } from './wait-for.ts';

const INIT = join(import.meta.dirname, 'init.sh');

/**
 * Finds the first process of a running cluster by its command line, so that no file can be out of date.
 * @returns its process id as the machine sees it, or null
 */
export function findCluster(place: ClusterPlace): number | null {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const [shell, script, state] = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      if (shell === 'bash' && script?.endsWith('/init.sh') === true && state === place.state) return Number(name);
    } catch {
      // It ended in between.
    }
  }
  return null;
}

/** The words that run a command inside the cluster's namespaces: its network, its mounts, its processes. */
export function enterCluster(pid: number): readonly string[] {
  return ['nsenter', `--target=${pid}`, '--mount', '--net', '--pid', '--'];
}

/** The words that run a command with the machine's files in the cluster's network. */
function enterNetwork(pid: number): readonly string[] {
  return ['nsenter', `--target=${pid}`, '--net', '--'];
}

/** Makes the namespaces and the link to the machine. @returns the process id of their first process */
export async function makeNamespaces(place: ClusterPlace): Promise<number> {
  for (const dir of ['parts', 'log']) await mkdir(join(place.state, dir), { recursive: true });
  makeCgroups(place);
  const spaces = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--propagation=private', '--'];
  spawn('unshare', [...spaces, 'bash', INIT, place.state], { detached: true, stdio: 'ignore' }).unref();
  const pid = await waitFor('the namespaces', () => Promise.resolve(findCluster(place)), 10);
  await runCommand(['ip', 'link', 'add', place.link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `${pid}`]);
  // A connection whose other end was killed would keep the network, and with it the link, for two minutes after the cluster's end.
  await runCommand([...enterNetwork(pid), 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/tcp_orphan_retries']);
  const inside = [...enterNetwork(pid), 'ip'];
  await runCommand([...inside, 'addr', 'add', `${place.nodeAddress}/24`, 'dev', 'eth0']);
  await runCommand([...inside, 'link', 'set', 'eth0', 'up']);
  // Nothing of the cluster reaches the world: what is not made here is unreachable at once.
  await runCommand([...inside, 'route', 'add', 'unreachable', 'default']);
  // The API server calls webhooks by their Services from here: without a route the call ends before it is rewritten to a pod.
  await runCommand([...inside, 'route', 'add', place.serviceRange, 'dev', 'eth0', 'src', place.nodeAddress]);
  await runCommand([...inside, 'route', 'add', WORLD_RANGE, 'via', place.hostAddress]);
  await runCommand(['ip', 'addr', 'add', `${place.hostAddress}/24`, 'dev', place.link]);
  for (const address of place.worldAddresses) {
    await runCommand(['ip', 'addr', 'add', `${address}/32`, 'dev', place.link]);
  }
  await runCommand(['ip', 'link', 'set', place.link, 'up']);
  await runCommand(['ip', 'route', 'replace', place.innerRange, 'via', place.nodeAddress]);
  return pid;
}

/** Starts the parts that do not run, in order; their output goes to STATE/log/NAME.log. */
export async function startParts(place: ClusterPlace, parts: readonly ClusterPart[]): Promise<void> {
  const running = runningCommands(findCluster(place));
  for (const part of parts) if (!running.has(part.command.join('\0'))) await startPart(place, part);
}

/** The command lines of the first process's children: the parts, each of which is one program. */
function runningCommands(pid: number | null): ReadonlySet<string> {
  if (pid === null) return new Set();
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  return new Set(
    children.map((child) => {
      try {
        return readFileSync(`/proc/${child}/cmdline`, 'utf8').replace(/\0$/, '');
      } catch {
        // It ended in between.
        return '';
      }
    }),
  );
}

async function startPart(place: ClusterPlace, part: ClusterPart): Promise<void> {
  const file = join(place.state, 'parts', part.name);
  const words = part.command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const path = [part.path ?? [], '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'].flat().join(':');
  await writeFile(file, `#!/bin/sh\nPATH=${path}\nexec ${words.join(' \\\n  ')}\n`);
  await chmod(file, 0o755);
  await writeFile(join(place.state, 'start'), `${part.name}\n`, { flag: 'a' });
}

/** Ends the cluster with all its processes, mounts and interfaces, and removes its state. */
export async function removeCluster(place: ClusterPlace): Promise<void> {
  const pid = findCluster(place);
  // The first process takes every other of its PID namespace along, and the last one the mounts and the link.
  if (pid !== null) killIfThere(pid);
  await waitFor('the end of the cluster', () => Promise.resolve(findCluster(place) === null ? true : null), 30);
  await waitFor('the end of its interface', () => interfaceIsGone(place), 30);
  removeCgroups(place);
  await rm(place.state, { recursive: true, force: true, maxRetries: 5 });
}

/** Ends a process, which may end by itself in this moment. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function interfaceIsGone(place: ClusterPlace): Promise<true | null> {
  return readdirSync('/sys/class/net').includes(place.link) ? null : true;
}

const CGROUPS = '/sys/fs/cgroup';

/** Version 1 has a tree for each controller, version 2 one for all. Links are other names of the same tree. */
function cgroupTrees(): readonly string[] {
  if (existsSync(join(CGROUPS, 'cgroup.controllers'))) return [CGROUPS];
  const entries = readdirSync(CGROUPS, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(CGROUPS, name));
}

/** The kubelet looks for its own before the first pod makes it. */
function makeCgroups(place: ClusterPlace): void {
  for (const tree of cgroupTrees()) mkdirSync(join(tree, place.cgroup), { recursive: true });
}

function removeCgroups(place: ClusterPlace): void {
  for (const tree of cgroupTrees()) removeTree(join(tree, place.cgroup));
}

function removeTree(dir: string): void {
  try {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(join(dir, entry.name));
    }
    rmdirSync(dir);
  } catch {
    // There is none.
  }
}
