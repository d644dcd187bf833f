import type { Socket } from 'node:net';
import koffi from 'koffi';

/** Where a redirected connection was going before the packet rules turned it to us. */
export interface OriginalDestination {
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
}

const SOL_IP = 0;
const SOL_IPV6 = 41;
/** SO_ORIGINAL_DST (linux/netfilter_ipv4.h) and IP6T_SO_ORIGINAL_DST (linux/netfilter_ipv6/ip6_tables.h) share a number. */
const SO_ORIGINAL_DST = 80;

type GetSockOpt = (...call: [fd: number, level: number, name: number, value: Buffer, length: Buffer]) => number;
let getsockopt: GetSockOpt | undefined;

/**
 * Asks the kernel for the original destination of a redirected connection. Call it in the `connection` handler: later the
 * connection may be gone.
 * @returns null when the connection was not redirected: not tracked, already closed, or dialled to us directly
 */
export function readOriginalDestination(socket: Socket): OriginalDestination | null {
  const fd = descriptorOf(socket);
  const local = socket.localAddress;
  if (fd === null || local === undefined) return null;
  const family = local.includes('.') ? 4 : 6;
  const address = Buffer.alloc(family === 4 ? 16 : 28);
  const length = Buffer.alloc(4);
  length.writeInt32LE(address.length);
  getsockopt ??= loadGetSockOpt();
  if (getsockopt(fd, family === 4 ? SOL_IP : SOL_IPV6, SO_ORIGINAL_DST, address, length) !== 0) return null;
  const found = { address: readAddress(address, family), port: address.readUInt16BE(2), family } as const;
  // Loop guard: a connection dialled straight to the listener has the listener as its "original" destination.
  return found.port === socket.localPort && stripMapped(found.address) === stripMapped(local) ? null : found;
}

function loadGetSockOpt(): GetSockOpt {
  const libc = koffi.load(null);
  return libc.func(
    'int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint8_t *length)',
  ) as GetSockOpt;
}

/** `_handle.fd` is not documented; this is its only reader, and it is never duplicated or closed here. */
function descriptorOf(socket: Socket): number | null {
  const handle = (socket as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle;
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : null;
}

function readAddress(sockaddr: Buffer, family: 4 | 6): string {
  if (family === 4) return [...sockaddr.subarray(4, 8)].join('.');
  const words = Array.from({ length: 8 }, (_, word) => sockaddr.readUInt16BE(8 + word * 2).toString(16));
  return new URL(`http://[${words.join(':')}]/`).hostname.slice(1, -1);
}

function stripMapped(address: string): string {
  return address.replace(/^::ffff:/i, '');
}
