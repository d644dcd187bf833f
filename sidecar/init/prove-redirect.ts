import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { connect, createServer } from 'node:net';
import { LIMIT } from '#contract/limit.ts';
import { faultCode, InitError } from './init-error.ts';

/** One address family, with an address of the documentation ranges (RFC 5737, RFC 3849): nothing answers there. */
interface Family {
  readonly name: 'IPv4' | 'IPv6';
  readonly loopback: string;
  readonly probe: string;
  readonly udp: 'udp4' | 'udp6';
  readonly hasDefaultRoute: () => Promise<boolean>;
}

const FAMILIES: readonly Family[] = [
  { name: 'IPv4', loopback: '127.0.0.1', probe: '192.0.2.1', udp: 'udp4', hasDefaultRoute: hasIpv4DefaultRoute },
  { name: 'IPv6', loopback: '::1', probe: '2001:db8::1', udp: 'udp6', hasDefaultRoute: hasIpv6DefaultRoute },
];

type Arrival = 'ours' | 'unreachable' | 'elsewhere';

/**
 * Proves with real packets that an application's traffic meets the guard: a dial to an address nobody has must arrive
 * at our own listener, told by a random token, and UDP to port 443 must be refused at once. A family may be missing
 * only where the pod has no default route for it.
 * @param port the intercept port, not yet in use
 * @throws InitError naming the family and what was seen
 */
export async function proveRedirect(port: number): Promise<void> {
  let proven = 0;
  for (const family of FAMILIES) {
    const arrival = await probeTcp(family, port);
    if (arrival === 'ours') {
      await proveUdpRefused(family);
      proven += 1;
      continue;
    }
    if (arrival === 'unreachable' && !(await family.hasDefaultRoute())) continue;
    throw new InitError(
      `The redirect does not work for ${family.name}: a probe did not arrive at the guard, so nothing in this pod may start.`,
    );
  }
  if (proven === 0) throw new InitError('This pod has no default route, so the redirect cannot be proven.');
}

async function probeTcp(family: Family, port: number): Promise<Arrival> {
  const token = randomBytes(16).toString('hex');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(token);
  });
  const listening = await listen(server, family, port);
  if (!listening) return 'unreachable';
  try {
    return await dial(family.probe, token);
  } finally {
    server.close();
  }
}

/** @returns false when the pod has no loopback address of this family */
function listen(server: Server, family: Family, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('listening', () => resolve(true));
    server.once('error', (error) => {
      const code = faultCode(error);
      if (family.name === 'IPv6' && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) return resolve(false);
      reject(new InitError(`Port ${port} of the ${family.name} loopback cannot be taken for the proof (${code}).`));
    });
    server.listen(port, family.loopback);
  });
}

function dial(address: string, token: string): Promise<Arrival> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host: address, port: 1, timeout: LIMIT.probeMs });
    const finish = (arrival: Arrival): void => {
      socket.destroy();
      resolve(arrival);
    };
    socket.on('data', (bytes) => {
      answer = (answer + bytes.toString('latin1')).slice(0, token.length + 1);
    });
    socket.once('end', () => finish(answer === token ? 'ours' : 'elsewhere'));
    socket.once('timeout', () => finish('elsewhere'));
    socket.once('error', (error) => {
      const code = faultCode(error);
      finish(
        code === 'ENETUNREACH' || code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT' ? 'unreachable' : 'elsewhere',
      );
    });
  });
}

/**
 * QUIC would carry an LLM request past the redirect. Only EPERM counts: it is the kernel's own verdict on this very
 * datagram, where an ICMP answer could come from anywhere and a datagram that vanishes proves nothing.
 */
function proveUdpRefused(family: Family): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(family.udp);
    socket.on('error', () => undefined);
    socket.send('lazaret', 443, family.probe, (error) => {
      socket.close();
      if (error !== null && faultCode(error) === 'EPERM') return resolve();
      reject(new InitError(`UDP to port 443 over ${family.name} was not refused, so QUIC could pass the guard.`));
    });
  });
}

/** `/proc/net/route`: destination and mask are both zero; flag 0x200 is a reject route. */
async function hasIpv4DefaultRoute(): Promise<boolean> {
  const rows = (await readTable('/proc/net/route')).slice(1);
  return rows.some(([, destination, , flags = '', , , , mask]) => {
    return destination === '00000000' && mask === '00000000' && (Number.parseInt(flags, 16) & 0x200) === 0;
  });
}

/** `/proc/net/ipv6_route`: prefix length zero; the kernel's own null route is a reject route of device `lo`. */
async function hasIpv6DefaultRoute(): Promise<boolean> {
  const rows = await readTable('/proc/net/ipv6_route');
  return rows.some(([destination = '', bits, , , , , , , , device]) => {
    return /^0+$/.test(destination) && bits === '00' && device !== 'lo';
  });
}

async function readTable(path: string): Promise<readonly (readonly string[])[]> {
  const text = await readFile(path, 'latin1').catch((error: unknown) => {
    if (faultCode(error) === 'ENOENT') return '';
    throw new InitError(`${path} cannot be read (${faultCode(error)}).`);
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.trim().split(/\s+/));
}
