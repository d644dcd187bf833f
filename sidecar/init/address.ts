import ipaddr from 'ipaddr.js';

/** An address range in normal form. */
export interface IpRange {
  readonly family: 4 | 6;
  readonly address: string;
  /** Length of the prefix: 32 or 128 for one address. */
  readonly bits: number;
}

/** One address and port. */
export interface SocketAddress {
  readonly family: 4 | 6;
  readonly address: string;
  readonly port: number;
}

/**
 * Reads `ADDRESS` or `ADDRESS:PORT`, IPv6 with a port in brackets (RFC 3986 §3.2.2).
 * @returns null for a name, a zone (`fe80::1%eth0`) or anything else
 */
export function parseSocketAddress(text: string, defaultPort: number): SocketAddress | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/i.exec(text);
  const range = parseRange(match?.[1] ?? match?.[2] ?? text);
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (range === null || text.includes('/') || port < 1 || port > 65_535) return null;
  return { family: range.family, address: range.address, port };
}

/** Reads `ADDRESS:PORT` or `ADDRESS/BITS:PORT`, IPv6 in brackets with the prefix inside: `[2001:db8::/32]:123`. */
export function parseUdpDestination(text: string): (IpRange & { readonly port: number }) | null {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const range = parseRange(match?.[1] ?? match?.[2] ?? '');
  const port = Number(match?.[3] ?? 0);
  return range === null || port < 1 || port > 65_535 ? null : { ...range, port };
}

/** Reads an address or a CIDR range; only the four-part decimal form of IPv4, so that 010.0.0.1 cannot mean two things. */
function parseRange(text: string): IpRange | null {
  const [address = '', bits, ...rest] = text.split('/');
  if (rest.length > 0 || address.includes('%')) return null;
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return null;
  const parsed = ipaddr.process(address);
  const family = parsed.kind() === 'ipv4' ? 4 : 6;
  const width = family === 4 ? 32 : 128;
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= width)) return null;
  return { family, address: parsed.toString(), bits: bits === undefined ? width : Number(bits) };
}
