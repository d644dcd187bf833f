import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { PodError } from './job.ts';

/** The addresses of a pod run. The pod's own look like a cluster's: private, so that "public" is decided as in a cluster. */
export const POD_NETWORK = {
  pod: '10.88.0.2',
  outer: '10.88.0.1',
  pod6: 'fd88::2',
  outer6: 'fd88::1',
  relayPort: 15_002,
  collectorPort: 15_443,
} as const;

/** Link `eth0` in the pod, `pod0` outside it. */
const OUTER_DEVICE = 'pod0';

/**
 * Makes the pod's network namespace, bound to a file, and joins it by a veth pair to the namespace that this process is
 * in. There every address is local, so that a connection to any of them can be accepted or reset here and goes nowhere.
 * @param file an empty file of this run
 * @param served the addresses whose connections the relay takes, on every port
 * @throws PodError with what the system's tool said
 */
export function makePodNetwork(file: string, served: readonly string[], path: string): void {
  const ipv6 = existsSync('/proc/net/if_inet6');
  const run = (command: readonly [string, ...string[]], input?: string): void => runTool(command, input, path);
  run(['unshare', `--net=${file}`, 'true']);
  run(
    ['ip', '-batch', '-'],
    lines([
      'link set lo up',
      `link add name ${OUTER_DEVICE} type veth peer name eth0 netns ${file}`,
      `addr add ${POD_NETWORK.outer}/24 dev ${OUTER_DEVICE}`,
      ipv6 && `addr add ${POD_NETWORK.outer6}/64 dev ${OUTER_DEVICE} nodad`,
      `link set ${OUTER_DEVICE} up`,
      'route add local 0.0.0.0/0 dev lo table main',
      ipv6 && 'route add local ::/0 dev lo table main',
    ]),
  );
  run(
    ['nsenter', `--net=${file}`, 'ip', '-batch', '-'],
    lines([
      'link set lo up',
      `addr add ${POD_NETWORK.pod}/24 dev eth0`,
      ipv6 && `addr add ${POD_NETWORK.pod6}/64 dev eth0 nodad`,
      'link set eth0 up',
      `route add default via ${POD_NETWORK.outer}`,
      ipv6 && `route add ::/0 via ${POD_NETWORK.outer6}`,
    ]),
  );
  run(['nft', '-f', '-'], renderRelayRules(served));
}

/** Brings connections to the served addresses to the relay's port and leaves the address as it is. */
function renderRelayRules(served: readonly string[]): string {
  const of = (ipv6: boolean): string => served.filter((address) => address.includes(':') === ipv6).join(', ');
  const table = (family: 'ip' | 'ip6', addresses: string): string =>
    addresses === ''
      ? ''
      : `table ${family} lazaret_pod {
  chain to_relay {
    type nat hook prerouting priority -100; policy accept;
    iifname "${OUTER_DEVICE}" ${family} daddr { ${addresses} } meta l4proto tcp dnat to :${POD_NETWORK.relayPort}
  }
}
`;
  return table('ip', of(false)) + table('ip6', of(true));
}

function runTool(command: readonly [string, ...string[]], input: string | undefined, path: string): void {
  const [program, ...args] = command;
  const { status, stderr, error } = spawnSync(program, args, {
    input: input ?? '',
    encoding: 'utf8',
    env: { PATH: path },
  });
  if (status === 0) return;
  const said = error?.message ?? stderr.split('\n').find((line) => line.trim() !== '') ?? 'nothing';
  throw new PodError(`the pod's network could not be made: "${program} ${args.join(' ')}" said: ${said.trim()}`);
}

function lines(commands: readonly (string | false)[]): string {
  return `${commands.filter((command) => command !== false).join('\n')}\n`;
}
