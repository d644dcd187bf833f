import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
} from 'node:crypto';
import type { Socket } from 'node:net';
import { buildHello, intoRecords, serverName, u16, vector } from '#test/property/intercept-hello.ts';

/**
 * A hostile TLS 1.3 client (RFC 8446; X25519, AES-128-GCM with SHA-256): it provokes HelloRetryRequest and sends another name in its
 * second ClientHello than in its first, which no library does.
 * @returns once the server has all it needs; `established` says whether the server went on after the client's Finished
 */
export async function connectWithTwoNames(
  socket: Socket,
  first: string,
  second: string,
): Promise<{ readonly established: boolean }> {
  const keys = generateKeyPairSync('x25519');
  const ours = keys.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const hello = (name: string, share: Buffer): Buffer =>
    buildHello({
      session: Buffer.alloc(32, 5),
      extensions: [
        serverName(name),
        [10, vector(Buffer.from([0, 0x1d]))],
        [13, vector(Buffer.from([4, 3]))],
        [43, Buffer.from([2, 3, 4])],
        [51, vector(share)],
      ],
    });
  const records = readRecords(socket);
  const hello1 = hello(first, Buffer.alloc(0));
  socket.write(intoRecords(hello1, []));
  const retry = (await records.next()).value;
  if (retry === undefined) return { established: false };
  const hello2 = hello(second, Buffer.concat([Buffer.from([0, 0x1d, 0, 32]), ours]));
  socket.write(intoRecords(hello2, []));
  const transcript = createHash('sha256');
  transcript.update(Buffer.concat([Buffer.from([254, 0, 0, 32]), sha256(hello1)]));
  transcript.update(retry.body).update(hello2);
  let record = (await records.next()).value;
  if (record?.type === 20) record = (await records.next()).value;
  if (record === undefined || record.type !== 22) return { established: false };
  transcript.update(record.body);
  const secret = diffieHellman({ privateKey: keys.privateKey, publicKey: publicKeyOf(record.body) });
  const handshake = extract(
    expand(extract(Buffer.alloc(32), Buffer.alloc(32)), 'derived', sha256(Buffer.alloc(0))),
    secret,
  );
  const soFar = transcript.copy().digest();
  const server = expand(handshake, 's hs traffic', soFar);
  const client = expand(handshake, 'c hs traffic', soFar);
  let flight = Buffer.alloc(0);
  for (let sequence = 0; !endsWithFinished(flight); ) {
    record = (await records.next()).value;
    if (record === undefined) return { established: false };
    if (record.type === 23) flight = Buffer.concat([flight, open(server, sequence++, record)]);
  }
  transcript.update(flight);
  const finished = createHmac('sha256', expand(client, 'finished', Buffer.alloc(0)))
    .update(transcript.digest())
    .digest();
  socket.write(seal(client, Buffer.concat([Buffer.from([20, 0, 0, 32]), finished, Buffer.from([22])])));
  return { established: (await records.next()).value?.type === 23 };
}

interface TlsRecord {
  readonly type: number;
  readonly header: Buffer;
  readonly body: Buffer;
}

async function* readRecords(socket: Socket): AsyncGenerator<TlsRecord, undefined> {
  let held = Buffer.alloc(0);
  try {
    for await (const chunk of socket) {
      held = Buffer.concat([held, chunk as Buffer]);
      while (held.length >= 5 && held.length >= 5 + held.readUInt16BE(3)) {
        const end = 5 + held.readUInt16BE(3);
        yield { type: held[0] ?? 0, header: held.subarray(0, 5), body: held.subarray(5, end) };
        held = held.subarray(end);
      }
    }
  } catch {
    // A reset ends the records as an end does.
  }
  return undefined;
}

function endsWithFinished(flight: Buffer): boolean {
  let at = 0;
  while (at + 4 <= flight.length) {
    const end = at + 4 + flight.readUIntBE(at + 1, 3);
    if (flight[at] === 20) return end === flight.length;
    at = end;
  }
  return false;
}

/** The server's X25519 share in its ServerHello. */
function publicKeyOf(hello: Buffer): ReturnType<typeof createPublicKey> {
  const at = hello.indexOf(Buffer.from([0, 51, 0, 36, 0, 0x1d, 0, 32]));
  const prefix = Buffer.from('302a300506032b656e032100', 'hex');
  return createPublicKey({
    key: Buffer.concat([prefix, hello.subarray(at + 8, at + 40)]),
    format: 'der',
    type: 'spki',
  });
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function extract(salt: Buffer, secret: Buffer): Buffer {
  return createHmac('sha256', salt).update(secret).digest();
}

/** HKDF-Expand-Label (RFC 8446 §7.1) for at most 32 bytes. */
function expand(secret: Buffer, label: string, context: Buffer, length = 32): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([
    u16(length),
    Buffer.from([name.length]),
    name,
    Buffer.from([context.length]),
    context,
    Buffer.from([1]),
  ]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, length);
}

function nonceOf(secret: Buffer, sequence: number): Buffer {
  const nonce = Buffer.from(expand(secret, 'iv', Buffer.alloc(0), 12));
  nonce[11] = (nonce[11] ?? 0) ^ sequence;
  return nonce;
}

function open(secret: Buffer, sequence: number, { header, body }: TlsRecord): Buffer {
  const cipher = createDecipheriv('aes-128-gcm', expand(secret, 'key', Buffer.alloc(0), 16), nonceOf(secret, sequence));
  cipher.setAAD(header).setAuthTag(body.subarray(-16));
  const inner = Buffer.concat([cipher.update(body.subarray(0, -16)), cipher.final()]);
  return inner.subarray(
    0,
    inner.findLastIndex((byte) => byte !== 0),
  );
}

function seal(secret: Buffer, inner: Buffer): Buffer {
  const header = Buffer.concat([Buffer.from([23, 3, 3]), u16(inner.length + 16)]);
  const cipher = createCipheriv('aes-128-gcm', expand(secret, 'key', Buffer.alloc(0), 16), nonceOf(secret, 0));
  cipher.setAAD(header);
  return Buffer.concat([header, cipher.update(inner), cipher.final(), cipher.getAuthTag()]);
}
