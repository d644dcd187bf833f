import { describe, expect, it } from 'vitest';
import type { NetworkRules } from '#sidecar/init/network-rules.ts';
import { renderNetworkRules } from '#sidecar/init/network-rules.ts';

const PLAIN: NetworkRules = {
  uid: 23_456,
  gid: 54_321,
  port: 15_001,
  resolvers: [{ family: 4, address: '10.96.0.10', port: 53 }],
  udpAllowed: [],
};

const GOLDEN = `table inet lazaret
delete table inet lazaret
table inet lazaret {
  chain nat_out {
    type nat hook output priority -100; policy accept;
    meta skuid 23456 meta skgid 54321 return comment "the sidecar itself: uid and gid together"
    oifname "lo" return
    meta l4proto tcp counter redirect to :15001
  }
  chain guard {
    type filter hook output priority 0; policy accept;
    meta skuid 23456 meta skgid 54321 accept
    oifname "lo" accept
    ip daddr 10.96.0.10 udp dport 53 accept
    meta l4proto udp counter reject with icmpx port-unreachable
    ct state established,related accept
    meta l4proto tcp ct status dnat accept comment "redirected; the device is still the old one in this hook"
    meta l4proto tcp ct state new counter reject with tcp reset comment "a connection that the redirect missed"
    meta l4proto { tcp, icmp, ipv6-icmp } accept
    counter drop
  }
}
`;

describe('packet rules', () => {
  it('are exactly these for a pod with one resolver', () => {
    expect(renderNetworkRules(PLAIN)).toBe(GOLDEN);
  });

  it('let UDP reach every resolver and listed destination of both families, and only those', () => {
    const rules = renderNetworkRules({
      ...PLAIN,
      resolvers: [
        { family: 4, address: '10.96.0.10', port: 53 },
        { family: 6, address: 'fd00:10:96::a', port: 5353 },
      ],
      udpAllowed: [
        { family: 4, address: '10.1.0.0', bits: 16, port: 123 },
        { family: 6, address: '2001:db8::', bits: 32, port: 514 },
      ],
    });
    expect(rules.match(/^.*udp dport.*$/gm)).toEqual([
      '    ip daddr 10.96.0.10 udp dport 53 accept',
      '    ip6 daddr fd00:10:96::a udp dport 5353 accept',
      '    ip daddr 10.1.0.0/16 udp dport 123 counter accept',
      '    ip6 daddr 2001:db8::/32 udp dport 514 counter accept',
    ]);
  });

  it('refuse UDP before connection tracking is asked, so that a peer which sends first opens nothing', () => {
    const rules = renderNetworkRules(PLAIN);
    expect(rules.indexOf('l4proto udp counter reject')).toBeLessThan(rules.indexOf('ct state established'));
  });

  it('name uid and gid in one rule wherever they exempt, and nowhere one without the other', () => {
    const lines = renderNetworkRules(PLAIN)
      .split('\n')
      .filter((line) => /skuid|skgid/.test(line));
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toContain('meta skuid 23456 meta skgid 54321');
  });

  it('hold no prerouting hook, no packet mark and no list of TCP ports', () => {
    expect(renderNetworkRules(PLAIN)).not.toMatch(/prerouting|mark|tcp dport/);
  });
});
