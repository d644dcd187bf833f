import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** What a pod on this machine needs, and how to get it. */
const TOOLS = [
  { tool: 'nft', remedy: 'install nftables (Debian, Ubuntu: apt-get install nftables; Fedora: dnf install nftables)' },
  { tool: 'ip', remedy: 'install iproute2 (Debian, Ubuntu: apt-get install iproute2; Fedora: dnf install iproute)' },
  { tool: 'unshare', remedy: 'install util-linux' },
  { tool: 'nsenter', remedy: 'install util-linux' },
  { tool: 'setpriv', remedy: 'install util-linux (Alpine: apk add setpriv)' },
  { tool: 'mount', remedy: 'install util-linux or the package mount' },
] as const;

/** Administration tools are not on every caller's path. */
const SYSTEM_PATH = '/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin';

/** A search path that also holds the system's own directories. */
export function toolPath(path: string | undefined): string {
  return path === undefined || path === '' ? SYSTEM_PATH : `${path}:${SYSTEM_PATH}`;
}

/** @returns the absolute path of a program, or null when it is not installed */
function findTool(tool: string, path: string): string | null {
  for (const dir of path.split(':')) {
    const candidate = join(dir === '' ? '.' : dir, tool);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not here: the next directory.
    }
  }
  return null;
}

/** @returns one sentence for each thing that this machine lacks; empty when a pod can be made */
export function missingPrerequisites(path: string): readonly string[] {
  if (process.platform !== 'linux') return ['a pod needs Linux: network namespaces and nftables'];
  const missing = TOOLS.filter(({ tool }) => findTool(tool, path) === null);
  const sentences = [
    ...(process.getuid?.() === 0 ? [] : ['a pod needs root, to make network namespaces: run it with sudo']),
    ...missing.map(({ tool, remedy }) => `the program ${tool} is missing: ${remedy}`),
  ];
  return sentences.length > 0 ? sentences : missingKernelParts(path);
}

/** What the packet rules are made of, in the least form. */
const PROBE_RULES = `table inet lazaret_probe {
  chain probe {
    type nat hook output priority -100; policy accept;
    meta skuid 1 meta l4proto tcp redirect to :1
  }
}
`;

/** Root is not enough where a container or the kernel's configuration takes namespaces or nftables away. */
function missingKernelParts(path: string): readonly string[] {
  const namespaces = ['--mount', '--net', '--pid', '--mount-proc', '--fork', '--propagation=private', '--'];
  const run = (command: readonly string[]) =>
    spawnSync('unshare', [...namespaces, ...command], { input: PROBE_RULES, env: { PATH: path }, encoding: 'utf8' });
  if (run(['nft', '-f', '-']).status === 0) return [];
  return run(['true']).status === 0
    ? ['the kernel does not take nftables rules in a network namespace: load nf_tables and nft_redir']
    : [
        'namespaces cannot be made here: the capability SYS_ADMIN is missing (in a container: run it with --privileged)',
      ];
}
