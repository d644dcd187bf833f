import type { SocketAddress } from './address.ts';
import { parseSocketAddress } from './address.ts';

/** The C library reads no more than three (resolv.conf(5), MAXNS). */
const MAX_NAMESERVERS = 3;

/**
 * Reads the resolvers of a resolv.conf(5).
 * @returns at most three; an address with a zone (`fe80::1%eth0`) is left out, so it stays blocked
 */
export function parseResolvConf(text: string): readonly SocketAddress[] {
  return text
    .split('\n')
    .flatMap((line) => /^nameserver[ \t]+(\S+)/.exec(line)?.[1] ?? [])
    .slice(0, MAX_NAMESERVERS)
    .flatMap((address) => parseSocketAddress(address, 53) ?? []);
}
