import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { LIMIT } from '#contract/limit.ts';

/** Tables of a network namespace's sockets (proc_pid_net(5)); a kernel without IPv6 lacks the second of each pair. */
const TABLES = ['tcp', 'tcp6', 'udp', 'udp6', 'udplite', 'udplite6'] as const;
const UID_COLUMN = 7;
const INODE_COLUMN = 9;

/** What is asked about the sockets of a network namespace. */
export interface SocketQuestion {
  readonly uid: number;
  /** This process's own directory below /proc. */
  readonly self?: string;
}

/**
 * Finds sockets that belong to our uid and not to this process. The packet rules let that uid out, so a process of the
 * application that runs under it (an image rebuilt to carry the number it saw in /proc/net/tcp) would go around the guard.
 *
 * A socket counts only when it is open before and after the look at our own descriptors, so one that we open or close
 * meanwhile is never taken for a stranger's. Sockets that nobody holds any more (inode 0) are nobody's.
 * @returns their inodes
 */
export function findForeignSockets({ uid, self = '/proc/self' }: SocketQuestion): readonly string[] {
  const before = socketsOf(uid, self);
  if (before.size === 0) return [];
  const own = ownSockets(self);
  const suspects = [...before].filter((inode) => !own.has(inode));
  if (suspects.length === 0) return [];
  const after = socketsOf(uid, self);
  return suspects.filter((inode) => after.has(inode));
}

/** Tells how many foreign sockets there are, from now on. */
export interface ForeignSocketWatch {
  readonly count: () => number;
  /** Calls back whenever their number has changed. */
  readonly onChange: (listener: (count: number) => void) => void;
}

/** Looks each `LIMIT.foreignSocketMs`. A look that fails counts as one foreign socket: what cannot be seen is not safe. */
export function watchForeignSockets(question: SocketQuestion): ForeignSocketWatch {
  let count = countForeign(question);
  const listeners: ((count: number) => void)[] = [];
  const look = (): void => {
    const now = countForeign(question);
    if (now === count) return;
    count = now;
    for (const listener of listeners) listener(now);
  };
  setInterval(look, LIMIT.foreignSocketMs).unref();
  return { count: () => count, onChange: (listener) => void listeners.push(listener) };
}

function countForeign(question: SocketQuestion): number {
  try {
    return findForeignSockets(question).length;
  } catch {
    return 1;
  }
}

function socketsOf(uid: number, self: string): ReadonlySet<string> {
  const inodes = new Set<string>();
  const owner = String(uid);
  for (const table of TABLES) {
    for (const row of readTable(`${self}/net/${table}`)) {
      const columns = row.trim().split(/\s+/);
      const inode = columns[INODE_COLUMN];
      if (columns[UID_COLUMN] === owner && inode !== undefined && inode !== '0') inodes.add(inode);
    }
  }
  return inodes;
}

function readTable(path: string): readonly string[] {
  try {
    return readFileSync(path, 'latin1').split('\n').slice(1);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fault;
  }
}

function ownSockets(self: string): ReadonlySet<string> {
  const inodes = new Set<string>();
  for (const descriptor of readdirSync(`${self}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(readLink(`${self}/fd/${descriptor}`))?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  return inodes;
}

/** @returns an empty text for a descriptor that was closed meanwhile */
function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
