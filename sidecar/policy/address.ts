import ipaddr from 'ipaddr.js';

/** `private` is the cluster's side of the network, `local` this machine (never a destination), `public` the rest. */
export type AddressClass = 'private' | 'public' | 'local';

/** Reserved ranges that count as private (RFC 1918, 6598, 4193, 3927; cloud metadata is link-local). */
const PRIVATE = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
].map(parseRange);
const LOCAL = ['127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128'].map(parseRange);
const NAT64 = parseRange('64:ff9b::/96');

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

/**
 * Classifies an address after taking an embedded IPv4 address out of `::ffff:0:0/96` and `64:ff9b::/96` (RFC 6052).
 * @param clusterCidrs further private ranges; a malformed one is ignored here, the policy's schema refuses it
 * @returns `public` for what is no address at all: the class with the most checks
 */
export function classifyAddress(address: string, clusterCidrs: readonly string[]): AddressClass {
  const normal = parseAddress(address);
  if (normal === null) return 'public';
  if (LOCAL.some((range) => contains(range, normal))) return 'local';
  if (PRIVATE.some((range) => contains(range, normal))) return 'private';
  return rangesOf(clusterCidrs).some((range) => contains(range, normal)) ? 'private' : 'public';
}

/** Whether two spellings name the same address, an IPv4 address inside IPv6 included. */
export function isSameAddress(one: string, other: string): boolean {
  const parsed = parseAddress(one);
  return parsed !== null && parsed.toNormalizedString() === parseAddress(other)?.toNormalizedString();
}

/** Whether a text is an address literal, with or without the brackets of a URL, and which. */
export function parseAddressLiteral(text: string): string | null {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  const parsed = parseAddress(bare);
  return parsed === null ? null : parsed.toString();
}

function parseAddress(text: string): Address | null {
  // The zone of a link-local address says which interface, not which address.
  const bare = text.replace(/%.*$/, '');
  if (!ipaddr.IPv6.isValid(bare) && !ipaddr.IPv4.isValidFourPartDecimal(bare)) return null;
  const address = ipaddr.process(bare);
  if (address instanceof ipaddr.IPv6 && contains(NAT64, address)) {
    return new ipaddr.IPv4(address.toByteArray().slice(12));
  }
  return address;
}

const parsedRanges = new WeakMap<readonly string[], readonly Range[]>();

function rangesOf(cidrs: readonly string[]): readonly Range[] {
  const known = parsedRanges.get(cidrs);
  if (known !== undefined) return known;
  const ranges = cidrs.filter((cidr) => ipaddr.isValidCIDR(cidr)).map(parseRange);
  parsedRanges.set(cidrs, ranges);
  return ranges;
}

function parseRange(cidr: string): Range {
  return ipaddr.parseCIDR(cidr);
}

function contains([base, bits]: Range, address: Address): boolean {
  return base.kind() === address.kind() && address.match(base, bits);
}
