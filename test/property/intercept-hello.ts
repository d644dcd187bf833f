import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { connect, type ConnectionOptions } from 'node:tls';

/** The first bytes that a client sends to a server that never answers. */
async function capture(start: (port: number) => void): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  start((server.address() as AddressInfo).port);
  const [socket] = await once(server, 'connection');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A hello is complete when its record is: its length stands in bytes 3 and 4.
  const isWhole = (): boolean => {
    const bytes = Buffer.concat(chunks);
    return bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt16BE(3);
  };
  while (!isWhole()) await once(socket, 'data');
  socket.destroy();
  server.close();
  return Buffer.concat(chunks);
}

/** The ClientHello of Node's own TLS. */
export function captureNode(options: ConnectionOptions): Promise<Buffer> {
  return capture((port) => connect({ host: '127.0.0.1', port, ...options }).on('error', () => {}));
}

/** The ClientHello of another program; `PORT` in its arguments is replaced. */
export function captureProgram(file: string, args: readonly string[]): Promise<Buffer> {
  return capture((port) => {
    execFile(
      file,
      args.map((arg) => arg.replace('PORT', String(port))),
      () => {},
    ).on('error', () => {});
  });
}

export interface HelloParts {
  readonly extensions: readonly (readonly [type: number, data: Buffer])[];
  readonly session?: Buffer;
}

/** A hand-built ClientHello as one handshake message, without record. */
export function buildHello({ extensions, session = Buffer.alloc(0) }: HelloParts): Buffer {
  const encoded = extensions.map(([type, data]) => Buffer.concat([u16(type), u16(data.length), data]));
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([session.length]),
    session,
    vector(Buffer.from([0x13, 0x01, 0x13, 0x02])),
    Buffer.from([1, 0]),
    vector(Buffer.concat(encoded)),
  ]);
  return Buffer.concat([Buffer.from([1, body.length >> 16]), u16(body.length & 0xffff), body]);
}

/** server_name with one host_name. */
export function serverName(name: string): readonly [number, Buffer] {
  return [0, vector(Buffer.concat([Buffer.from([0]), vector(Buffer.from(name, 'latin1'))]))];
}

/** Cuts a handshake message into records at the given lengths; the last record takes the rest. */
export function intoRecords(message: Buffer, lengths: readonly number[]): Buffer {
  const records: Buffer[] = [];
  let at = 0;
  for (const length of [...lengths, message.length]) {
    const part = message.subarray(at, Math.min(at + length, at + 16_384));
    if (part.length === 0) continue;
    records.push(Buffer.from([22, 3, 1]), u16(part.length), part);
    at += part.length;
  }
  return Buffer.concat(records);
}

/** The handshake message inside captured records. */
export function messageOf(records: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 5 <= records.length; ) {
    const length = records.readUInt16BE(at + 3);
    parts.push(records.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return Buffer.concat(parts);
}

export function vector(bytes: Buffer): Buffer {
  return Buffer.concat([u16(bytes.length), bytes]);
}

export function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}
