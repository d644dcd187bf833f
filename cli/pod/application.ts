import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mergeEnvironment, podEnvironment } from '#contract/pod-environment.ts';
import { trustPaths } from '#contract/pod-paths.ts';
import type { PodJob } from './job.ts';
import type { PodPlaces } from './mounts.ts';
import type { Command } from './program.ts';

/**
 * Makes the application's own view of files and becomes it: no private directory, the trust files read-only, the pod's
 * resolver, no sight of the guard's processes. Arguments: the run's directory, then what to run.
 */
const ENTER = `set -e
dir=$1; shift
umount "$dir/ca"
mount --bind "$dir/trust" "$dir/trust"
mount -o remount,bind,ro "$dir/trust"
for file in resolv.conf hosts nsswitch.conf; do
  [ ! -e "/etc/$file" ] || mount --bind "$dir/etc/$file" "/etc/$file"
done
[ ! -S /run/nscd/socket ] || mount --bind /dev/null /run/nscd/socket
mount -t proc -o hidepid=2 proc /proc
exec "$@"`;

/**
 * The words that run a command under another uid without any capability, as a hardened container has it.
 * Nothing it starts can gain more.
 */
export function asUser(uid: number, gid: number): Command {
  const drop = ['--clear-groups', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--no-new-privs'];
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, ...drop, '--'];
}

/** The words that run a command in the pod's network. */
export function inPod(places: PodPlaces): Command {
  return ['nsenter', `--net=${places.netns}`, '--'];
}

/** Starts COMMAND with the caller's folder, environment and standard streams, and the injected variables set over it. */
export function startApplication(job: PodJob, places: PodPlaces, path: string): ChildProcess {
  const existing = Object.entries(job.environment).map(([name, value]) => ({ name, value }));
  const { environment } = mergeEnvironment(existing, podEnvironment(trustPaths(places.trust)));
  const variables = Object.fromEntries(environment.map(({ name, value }) => [name, value]));
  const { uid, command } = job.options;
  // `env` sets the application's search path behind the tools, which need the system's.
  const own = ['env', variables.PATH === undefined ? '-uPATH' : `PATH=${variables.PATH}`];
  const [program, ...enter] = inPod(places);
  const view = ['unshare', '--mount', '--propagation=private', '--', 'sh', '-c', ENTER, 'sh', places.dir];
  return spawn(program, [...enter, ...view, ...asUser(uid, uid), ...own, ...command], {
    cwd: existsSync(job.folder) ? job.folder : '/',
    env: { ...variables, PATH: path },
    stdio: 'inherit',
  });
}
