import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fields } from '#sidecar/exchange/ports.ts';
import { ECHO, LLM, openRoom, type TestRoom } from './room.ts';

/** Frame types (RFC 9113 §6). */
const [DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY] = [0, 1, 3, 4, 7] as const;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const END_STREAM = 1;
const END_HEADERS = 4;

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** HPACK: literal fields without indexing and without Huffman coding (RFC 7541 §6.2.2), which lets anything be said. */
function encode(fields: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, 'latin1');
    return Buffer.concat([Buffer.from(bytes.length < 127 ? [bytes.length] : [127, bytes.length - 127]), bytes]);
  };
  return Buffer.concat(fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])));
}

interface Answer {
  /** Frame types in order, for the stream or the session; settings and the like left out. */
  readonly end: 'reset' | 'goaway' | 'closed' | 'answered';
  readonly head: Buffer;
}

async function say(tls: TLSSocket, frames: Buffer): Promise<Answer> {
  let held = Buffer.alloc(0);
  let head = Buffer.alloc(0);
  const answered = new Promise<Answer>((resolve) => {
    tls.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      while (held.length >= 9 && held.length >= 9 + held.readUIntBE(0, 3)) {
        const end = 9 + held.readUIntBE(0, 3);
        const [type, flags] = [held[3], held[4] ?? 0];
        if (type === RST_STREAM) resolve({ end: 'reset', head });
        if (type === GOAWAY) resolve({ end: 'goaway', head });
        if (type === HEADERS) head = held.subarray(9, end);
        if ((type === HEADERS || type === DATA) && (flags & END_STREAM) === END_STREAM)
          resolve({ end: 'answered', head });
        held = held.subarray(end);
      }
    });
    tls.once('close', () => resolve({ end: 'closed', head }));
  });
  tls.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, Buffer.alloc(0)), frames]));
  return await answered;
}

let room: TestRoom;
let calls: number;
let headers: Fields;
beforeEach(async () => {
  room = await openRoom();
  calls = 0;
  room.settings.handler = async (request, reply) => {
    calls += 1;
    headers = request.headers;
    await ECHO(request, reply);
  };
});
afterEach(() => room.close());

async function ask(fields: readonly (readonly [string, string])[], body: Buffer | null = null): Promise<Answer> {
  const tls = room.connectTls(LLM, { ALPNProtocols: ['h2'] });
  await once(tls, 'secureConnect');
  const flags = END_HEADERS | (body === null ? END_STREAM : 0);
  const frames = [frame(HEADERS, flags, 1, encode(fields))];
  if (body !== null) frames.push(frame(DATA, END_STREAM, 1, body));
  const answer = await say(tls, Buffer.concat(frames));
  tls.destroy();
  return answer;
}

const PSEUDO = [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', LLM],
  [':path', '/v1/messages'],
] as const;

test('a request in raw frames is answered', async () => {
  expect((await ask(PSEUDO)).end).toBe('answered');
  expect(calls).toBe(1);
});

describe('what a library does not send is refused and never reaches the handler', () => {
  test.each<[string, readonly (readonly [string, string])[]]>([
    ['Connection', [...PSEUDO, ['connection', 'keep-alive']]],
    ['Transfer-Encoding', [...PSEUDO, ['transfer-encoding', 'chunked']]],
    ['Upgrade', [...PSEUDO, ['upgrade', 'h2c']]],
    ['Proxy-Connection', [...PSEUDO, ['proxy-connection', 'keep-alive']]],
    ['TE other than trailers', [...PSEUDO, ['te', 'gzip']]],
    ['a name in upper case', [...PSEUDO, ['X-A', '1']]],
    ['two authorities', [...PSEUDO, [':authority', 'elsewhere.example']]],
    ['two equal paths', [...PSEUDO, [':path', '/v1/messages']]],
    ['a pseudo field behind others', [['x-a', '1'], ...PSEUDO]],
    ['an unknown pseudo field', [...PSEUDO, [':x', '1']]],
    ['extended CONNECT', [[':method', 'CONNECT'], [':protocol', 'websocket'], ...PSEUDO.slice(1)]],
    ['no path', PSEUDO.slice(0, 3)],
    ['an empty path', [...PSEUDO.slice(0, 3), [':path', '']]],
    ['a path with a space', [...PSEUDO.slice(0, 3), [':path', '/a b']]],
    ['no method', PSEUDO.slice(1)],
    ['a method with a space', [[':method', 'GET /'], ...PSEUDO.slice(1)]],
    ['no authority and no Host', [PSEUDO[0], PSEUDO[1], PSEUDO[3]]],
    ['two Hosts', [...PSEUDO, ['host', LLM], ['host', 'elsewhere.example']]],
    ['two lengths', [...PSEUDO, ['content-length', '0'], ['content-length', '1']]],
    ['a signed length', [...PSEUDO, ['content-length', '+0']]],
    ['Expect inside a field that names others', [...PSEUDO, ['keep-alive', '1']]],
  ])('%s', async (_name, fields) => {
    const { end, head } = await ask(fields);
    expect(end !== 'answered' || head.length > 0).toBe(true);
    expect(calls).toBe(0);
  });

  test.each(['1\r\nhost: elsewhere.example', '1\0', ' 1', '1 '])(
    'a field whose value is %j does not reach the handler',
    async (value) => {
      await ask([...PSEUDO, ['x-a', value], ['x-b', 'kept']]);
      expect(calls === 0 || JSON.stringify(headers) === '[["x-b","kept"]]').toBe(true);
    },
  );

  test('more fields than the bound', async () => {
    const many = Array.from({ length: 600 }, () => ['x', 'y'] as const);
    expect((await ask([...PSEUDO, ...many])).end).not.toBe('answered');
    expect(calls).toBe(0);
  });

  test('a length shorter than the data', async () => {
    let outcome: unknown = 'never asked';
    room.settings.handler = async (request) => {
      outcome = await request.readBody(100);
    };
    expect((await ask([...PSEUDO, ['content-length', '2']], Buffer.from('longer'))).end).not.toBe('answered');
    expect(['never asked', 'aborted']).toContain(outcome);
  });
});

test('cookies in several fields become one', async () => {
  let cookies: readonly string[] = [];
  room.settings.handler = async ({ headers }, reply) => {
    cookies = headers.filter(([name]) => name === 'cookie').map(([, value]) => value);
    reply.head(204, []);
    await reply.end();
  };
  await ask([...PSEUDO, ['cookie', 'a=1'], ['cookie', 'b=2']]);
  expect(cookies).toEqual(['a=1; b=2']);
});
