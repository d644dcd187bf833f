import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
const MAIN = [process.execPath, '--disable-warning=ExperimentalWarning', join(ROOT, 'cli/pod/main.ts')] as const;

/** A pod run that is going on. */
export interface Running {
  readonly child: ChildProcess;
  /** Resolves when standard output holds the text. */
  readonly says: (text: string) => Promise<void>;
  readonly ended: Promise<PodEnd>;
}

export interface PodEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `cli/pod/main.ts` with the caller's folder and environment as given. */
export function startPod(args: readonly string[], more: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Running {
  const [node, ...flags] = MAIN;
  const child = spawn(node, [...flags, ...args], {
    cwd: more.cwd ?? ROOT,
    env: more.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (bytes: Buffer) => (texts.stdout += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (texts.stderr += bytes.toString()));
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...texts }));
  const says = async (text: string): Promise<void> => {
    while (!texts.stdout.includes(text)) {
      const over = await Promise.race([once(child.stdout, 'data').then(() => null), ended]);
      if (over !== null && !texts.stdout.includes(text)) throw new Error(`ended first: ${JSON.stringify(over)}`);
    }
  };
  return { child, says, ended };
}

/** Runs a pod to its end, with nothing on standard input. */
export async function runPod(
  args: readonly string[],
  more: Parameters<typeof startPod>[1] & { stdin?: string } = {},
): Promise<PodEnd> {
  const pod = startPod(args, more);
  pod.child.stdin?.end(more.stdin ?? '');
  return pod.ended;
}

/** What a pod whose `TMPDIR` is the given directory could leave behind on this machine; other pods do not count. */
export function traces(dir: string): Readonly<Record<string, unknown>> {
  const run = (program: string, ...args: readonly string[]) => execFileSync(program, args, { encoding: 'utf8' });
  return {
    links: run('ip', '-o', 'link')
      .split('\n')
      .map((line) => line.split(':')[1]),
    rules: run('nft', '--stateless', 'list', 'ruleset'),
    mounts: readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(dir)),
    directories: readdirSync(dir).filter((name) => name.startsWith('lazaret-pod-')),
    processes: processesOf(`${dir}/lazaret-pod-`),
  };
}

/** The pids of processes that have a word on their command line, the test runner's own left out. */
function processesOf(word: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => commandLine(pid).includes(word));
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** The processes of one run: those in a PID namespace below the given process. */
export function processesBelow(root: number, word: string): readonly number[] {
  const below = new Set([root]);
  for (let size = 0; size !== below.size; ) {
    size = below.size;
    for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
      if (below.has(parentOf(Number(name)))) below.add(Number(name));
    }
  }
  return [...below].filter((pid) => commandLine(pid).includes(word));
}

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** The network namespace of a process, as a name. */
export function networkOf(pid: number): string {
  return readlinkSync(`/proc/${pid}/ns/net`);
}
