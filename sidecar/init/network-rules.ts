import type { IpRange, SocketAddress } from './address.ts';

/** What decides the pod's packet rules. All values are checked by the caller's schema. */
export interface NetworkRules {
  /** The sidecar's uid and gid: two independent numbers, exempt only together. */
  readonly uid: number;
  readonly gid: number;
  /** Where outbound TCP is sent, on the loopback of its family. */
  readonly port: number;
  /** The resolvers that UDP may reach. */
  readonly resolvers: readonly SocketAddress[];
  /** Further UDP destinations that the operator lists. */
  readonly udpAllowed: readonly UdpDestination[];
}

/** One UDP destination: an address range and a port. */
export interface UdpDestination extends IpRange {
  readonly port: number;
}

/**
 * Renders the pod's packet rules as one nftables transaction, which replaces an earlier table of ours and touches no
 * other. Pure: the same input gives the same text.
 *
 * The order carries the promise. UDP is refused before connection tracking is asked, or a peer that sends first would
 * open the way for the application's replies. Nothing stands in a prerouting hook: inbound traffic is left alone. A dial
 * to the pod's own address leaves over `lo`, so no `fib` expression, which needs a kernel module, is needed for it.
 */
export function renderNetworkRules(rules: NetworkRules): string {
  const own = `meta skuid ${rules.uid} meta skgid ${rules.gid}`;
  return `table inet lazaret
delete table inet lazaret
table inet lazaret {
  chain nat_out {
    type nat hook output priority -100; policy accept;
    ${own} return comment "the sidecar itself: uid and gid together"
    oifname "lo" return
    meta l4proto tcp counter redirect to :${rules.port}
  }
  chain guard {
    type filter hook output priority 0; policy accept;
    ${own} accept
    oifname "lo" accept
${udpAccepts(rules)
  .map((rule) => `    ${rule}\n`)
  .join('')}    meta l4proto udp counter reject with icmpx port-unreachable
    ct state established,related accept
    meta l4proto tcp ct status dnat accept comment "redirected; the device is still the old one in this hook"
    meta l4proto tcp ct state new counter reject with tcp reset comment "a connection that the redirect missed"
    meta l4proto { tcp, icmp, ipv6-icmp } accept
    counter drop
  }
}
`;
}

function udpAccepts(rules: NetworkRules): readonly string[] {
  return [
    ...rules.resolvers.map((resolver) => `${daddr(resolver)} ${resolver.address} udp dport ${resolver.port} accept`),
    ...rules.udpAllowed.map(
      (range) => `${daddr(range)} ${range.address}/${range.bits} udp dport ${range.port} counter accept`,
    ),
  ];
}

function daddr(address: { readonly family: 4 | 6 }): string {
  return address.family === 4 ? 'ip daddr' : 'ip6 daddr';
}
