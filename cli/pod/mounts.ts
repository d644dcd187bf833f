import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { PodError } from './job.ts';
import { POD_NETWORK } from './network.ts';

/** The places of one run, all below one directory. */
export interface PodPlaces {
  readonly dir: string;
  /** The checkout, reachable for any uid even where it lies in somebody's home. */
  readonly program: string;
  /** tmpfs, as in a cluster: the pod CA's keys never reach a disk. */
  readonly authority: string;
  /** tmpfs, as in a cluster. */
  readonly trust: string;
  readonly spool: string;
  readonly store: string;
  readonly netns: string;
  readonly log: string;
  /** What the application's own view of `/etc` is made of. */
  readonly etc: string;
}

/** What is mounted over; each of the others is a plain file or directory of this run. */
const MOUNTED = ['program', 'ca', 'trust', 'net'] as const;

/** Names the places and makes them, with their mounts; only this process and its children see the mounts. */
export function makePlaces(dir: string, root: string, path: string): PodPlaces {
  const places: PodPlaces = {
    dir,
    program: `${dir}/program`,
    authority: `${dir}/ca`,
    trust: `${dir}/trust`,
    spool: `${dir}/spool`,
    store: `${dir}/store`,
    netns: `${dir}/net`,
    log: `${dir}/log`,
    etc: `${dir}/etc`,
  };
  chmodSync(dir, 0o711);
  for (const place of [places.program, places.authority, places.trust, places.spool, places.store, places.etc]) {
    mkdirSync(place, { mode: 0o755 });
  }
  for (const place of [places.spool, places.store]) chmodSync(place, 0o700);
  writeFileSync(places.netns, '');
  mount(['--bind', root, places.program], path);
  mount(['-o', 'remount,bind,ro', places.program], path);
  mount(['-t', 'tmpfs', '-o', 'mode=0711,size=1m', 'tmpfs', places.authority], path);
  mount(['-t', 'tmpfs', '-o', 'mode=0755,size=16m', 'tmpfs', places.trust], path);
  writeResolverFiles(places.etc);
  return places;
}

/** Takes the run's directory away from inside, when nobody outside is left to do it. Never looks into a mounted place. */
export function removePlaces(dir: string): void {
  for (const place of MOUNTED) spawnSync('umount', ['-l', `${dir}/${place}`], { stdio: 'ignore' });
  for (const name of readdirSync(dir)) {
    if (!MOUNTED.some((place) => place === name)) rmSync(`${dir}/${name}`, { recursive: true, force: true });
  }
  rmSync(`${dir}/net`, { force: true });
  for (const place of ['program', 'ca', 'trust']) removeEmpty(`${dir}/${place}`);
  removeEmpty(dir);
}

function removeEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch {
    // Still mounted, or never made: it stays, which harms nobody.
  }
}

/** The application may find names through the pod's resolver only: not the caller's hosts file, cache daemon or resolver. */
function writeResolverFiles(etc: string): void {
  writeFileSync(`${etc}/resolv.conf`, `nameserver ${POD_NETWORK.outer}\n`, { mode: 0o644 });
  writeFileSync(`${etc}/hosts`, '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n', { mode: 0o644 });
  const before = existsSync('/etc/nsswitch.conf') ? readFileSync('/etc/nsswitch.conf', 'utf8') : '';
  const others = before.split('\n').filter((line) => !/^\s*hosts:/.test(line));
  writeFileSync(`${etc}/nsswitch.conf`, `${others.join('\n').trimEnd()}\nhosts: files dns\n`, { mode: 0o644 });
}

function mount(args: readonly string[], path: string): void {
  const { status, stderr, error } = spawnSync('mount', args, { encoding: 'utf8', env: { PATH: path } });
  if (status === 0) return;
  throw new PodError(
    `the pod's volumes could not be made: "mount ${args.join(' ')}" said: ${(error?.message ?? stderr).trim()}`,
  );
}
