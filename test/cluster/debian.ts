import { existsSync } from 'node:fs';
import { runCommand } from './run-command.ts';

/** What comes ready made, and a file by which it is known to be there. */
const PACKAGES = [
  ['etcd-server', '/usr/bin/etcd'],
  ['runc', '/usr/sbin/runc'],
  ['containernetworking-plugins', '/usr/lib/cni/ptp'],
  ['nftables', '/usr/sbin/nft'],
  ['conntrack', '/usr/sbin/conntrack'],
  ['buildah', '/usr/bin/buildah'],
  ['debootstrap', '/usr/sbin/debootstrap'],
  ['busybox-static', '/usr/bin/busybox'],
  ['docker-registry', '/usr/bin/docker-registry'],
  ['unzip', '/usr/bin/unzip'],
  ['libfaketime', '/usr/share/doc/libfaketime'],
  // promtool
  ['prometheus', '/usr/bin/promtool'],
] as const;

/** Installs the Debian packages that are missing. */
export async function installPackages(say: (line: string) => void): Promise<void> {
  const missing = PACKAGES.filter(([, file]) => !existsSync(file)).map(([name]) => name);
  if (missing.length === 0) return;
  say(`installing ${missing.join(' ')}`);
  await runCommand(['apt-get', 'update', '-qq']);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await runCommand(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...missing], { env });
}
