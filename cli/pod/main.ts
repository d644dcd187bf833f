// `npm run pod`: runs a command as an application in a guarded pod on this machine.
import { resolve } from 'node:path';
import { PodError } from './job.ts';
import type { PodOptions } from './options.ts';
import { parseOptions } from './options.ts';
import { missingPrerequisites, toolPath } from './prerequisites.ts';
import { runPod } from './run-pod.ts';

/** The pod could not be started; every other exit code is COMMAND's. */
const NOT_STARTED = 125;
const ORPHAN_CHECK_MS = 500;

// npm runs scripts in the project's folder and says where it was called from.
const folder =
  process.env.npm_lifecycle_event === 'pod' && process.env.INIT_CWD !== undefined
    ? process.env.INIT_CWD
    : process.cwd();

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
  process.on(signal, () => stopping.abort(signal));
}
// Whoever killed our parent with SIGKILL did not mean to leave a pod behind.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) stopping.abort('SIGTERM');
}, ORPHAN_CHECK_MS).unref();

function absolute(options: PodOptions): PodOptions {
  const paths = (['policy', 'upstreamCa', 'store', 'keys', 'metrics', 'spool', 'log'] as const).flatMap((name) => {
    const path = options[name];
    return path === undefined ? [] : [[name, resolve(folder, path)] as const];
  });
  return { ...options, ...Object.fromEntries(paths) };
}

async function run(argv: readonly string[]): Promise<number> {
  const parsed = parseOptions(argv);
  if (!parsed.ok) throw new PodError(parsed.fault);
  const missing = missingPrerequisites(toolPath(process.env.PATH));
  if (missing.length > 0) throw new PodError(missing.join('; '));
  const environment = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  return runPod(absolute(parsed.options), { folder, environment, terminal, stop: stopping.signal });
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const sentence = error instanceof PodError ? error.message : `the pod could not be started: ${String(error)}`;
  process.stderr.write(`lazaret pod: ${sentence}\n`);
  process.exitCode = NOT_STARTED;
}
