import type { Socket as Datagrams } from 'node:dgram';
import type { Server } from 'node:net';
import type { Answer, DecodedPacket, Packet } from 'dns-packet';
import { AUTHORITATIVE_ANSWER, decode, encode, RECURSION_AVAILABLE, RECURSION_DESIRED } from 'dns-packet';

const TTL_SECONDS = 60;

/**
 * Answers one DNS query (RFC 1035 §4): every name has one IPv4 address and nothing else.
 * @param addressOf the address of a name in lower case without trailing dot
 * @returns null for bytes that are no query
 */
export function answerQuery(bytes: Uint8Array, addressOf: (name: string) => string): Buffer | null {
  const query = decodeQuery(bytes);
  const question = query?.questions?.[0];
  if (query === null || question === undefined) return null;
  const name = question.name.toLowerCase().replace(/\.$/, '');
  const answers: Answer[] =
    question.type === 'A' && name !== ''
      ? [{ type: 'A', name: question.name, ttl: TTL_SECONDS, data: addressOf(name) }]
      : [];
  const flags = AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | ((query.flags ?? 0) & RECURSION_DESIRED);
  const response: Packet = { type: 'response', flags, questions: [question], answers };
  return encode(query.id === undefined ? response : { ...response, id: query.id });
}

/** Serves DNS over UDP. */
export function serveDatagrams(socket: Datagrams, addressOf: (name: string) => string): void {
  socket.on('error', () => undefined);
  socket.on('message', (bytes, peer) => {
    const answer = answerQuery(bytes, addressOf);
    if (answer !== null) socket.send(answer, peer.port, peer.address);
  });
}

/** Serves DNS over TCP: each message behind its length (RFC 1035 §4.2.2). */
export function serveStreams(server: Server, addressOf: (name: string) => string): void {
  server.on('connection', (socket) => {
    let held: Buffer = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      held = Buffer.concat([held, bytes]);
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const end = 2 + held.readUInt16BE(0);
        const answer = answerQuery(held.subarray(2, end), addressOf);
        held = held.subarray(end);
        if (answer === null) {
          socket.destroy();
          return;
        }
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        socket.write(Buffer.concat([length, answer]));
      }
    });
  });
}

function decodeQuery(bytes: Uint8Array): DecodedPacket | null {
  try {
    const packet = decode(Buffer.from(bytes));
    return packet.type === 'query' ? packet : null;
  } catch {
    return null;
  }
}
