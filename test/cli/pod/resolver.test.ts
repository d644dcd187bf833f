import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { decode, encode, streamEncode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerQuery, serveStreams } from '#cli/pod/resolver.ts';

const addressOf = (name: string): string => (name === 'example.org' ? '198.18.1.2' : '198.18.9.9');
const query = (name: string, type: 'A' | 'AAAA' | 'TXT') =>
  encode({ type: 'query', id: 4711, flags: 0x0100, questions: [{ name, type }] });

describe('resolver of a pod', () => {
  it('answers a name with its one address, in the case it was asked', () => {
    const answer = decode(answerQuery(query('Example.ORG', 'A'), addressOf)!);
    expect(answer).toMatchObject({ id: 4711, type: 'response', flag_ra: true, flag_rd: true });
    expect(answer.answers).toMatchObject([{ name: 'Example.ORG', type: 'A', data: '198.18.1.2' }]);
  });

  it.each(['AAAA', 'TXT'] as const)('has no %s record and says so without an error', (type) => {
    const answer = decode(answerQuery(query('example.org', type), addressOf)!);
    expect(answer.answers).toEqual([]);
    expect((answer.flags ?? 0) & 0x0f).toBe(0);
  });

  it('does not answer answers, and survives any bytes', () => {
    expect(answerQuery(answerQuery(query('example.org', 'A'), addressOf)!, addressOf)).toBeNull();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const answer = answerQuery(bytes, addressOf);
        expect(answer === null || answer.length > 0).toBe(true);
      }),
    );
  });

  it('answers over TCP wherever the question is cut', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    serveStreams(server, addressOf);
    await once(server, 'listening');
    const question = streamEncode({ type: 'query', id: 7, questions: [{ name: 'example.org', type: 'A' }] });
    const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    for (const byte of question) await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(decode(answer.subarray(2)).answers).toMatchObject([{ data: '198.18.1.2' }]);
    socket.destroy();
    server.close();
  });
});
