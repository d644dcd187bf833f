import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BundleClient, type BundleAnswer } from '#sidecar/bundle/bundle-client.ts';
import { BundleKeeper } from '#sidecar/bundle/bundle-keeper.ts';
import { NOW } from '../contract/policy-fixture.ts';
import { makeTestAuthority } from '../fake/test-authority.ts';
import { makeSigner, signBundle } from '../sidecar/bundle/signed-bundle.ts';

const dir = mkdtempSync(join(tmpdir(), 'lazaret-answer-'));
const authority = await makeTestAuthority();
const signer = await makeSigner();
const text = await signBundle(signer);
const { certificate, key } = await authority.issue('127.0.0.1');

/** What the server writes, piece by piece, before it closes. */
let pieces: readonly Buffer[] = [];
const server = createServer({ cert: certificate, key, noDelay: true }, (socket) => {
  socket.on('error', () => undefined);
  socket.once('data', () => void write(socket));
});
let url = '';

beforeAll(async () => {
  writeFileSync(join(dir, 'token'), 'token');
  writeFileSync(join(dir, 'key'), JSON.stringify(signer.jwk));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  url = `https://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
});
afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true });
});

async function write(socket: TLSSocket): Promise<void> {
  for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
  socket.end();
}

async function ask(answer: readonly Buffer[]): Promise<BundleAnswer> {
  pieces = answer;
  const client = new BundleClient({ url, roots: authority.root, tokenFile: join(dir, 'token') });
  try {
    return await client.ask({ etag: null, serial: null });
  } finally {
    client.close();
  }
}

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/jose\r\netag: "1"\r\nconnection: close\r\n';
const FRAMINGS = {
  length: `${HEAD}content-length: ${text.length}\r\n\r\n${text}`,
  chunked: `${HEAD}transfer-encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`,
  close: `${HEAD}\r\n${text}`,
};
const framing = fc.constantFrom(...Object.values(FRAMINGS)).map((answer) => Buffer.from(answer));

function cut(answer: Buffer, at: readonly number[]): readonly Buffer[] {
  const marks = [0, ...at.map((place) => place % answer.length).sort((a, b) => a - b), answer.length];
  return marks.slice(1).map((mark, index) => answer.subarray(marks[index], mark));
}

it('wherever the network cuts an answer, the same bundle comes out', async () => {
  await fc.assert(
    fc.asyncProperty(framing, fc.array(fc.nat(), { maxLength: 6 }), async (answer, at) => {
      expect(await ask(cut(answer, at))).toEqual({ kind: 'bundle', text, etag: '"1"' });
    }),
    { numRuns: 60 },
  );
});

it('no part of an answer is ever taken, wherever it ends', async () => {
  await fc.assert(
    fc.asyncProperty(framing, fc.nat(), async (whole, at) => {
      // The end of the chunked form that carries nothing of the text may be missing without harm to it, and is refused all the same.
      const part = whole.subarray(0, at % (whole.length - 1));
      const answer = await ask([part]);
      const keeper = new BundleKeeper({ keyFile: join(dir, 'key'), now: () => NOW });
      if (answer.kind === 'bundle') await expect(keeper.take(answer.text)).rejects.toThrow(/no trusted key/);
      else expect(answer.kind).toBe('fault');
      expect(keeper.state()).toBe('missing');
    }),
    { numRuns: 60 },
  );
});

it('one changed byte of a bundle is never taken', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(text.length - 2), fc.integer({ min: 33, max: 126 }), async (at, code) => {
      const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
      fc.pre(changed !== text);
      const keeper = new BundleKeeper({ keyFile: join(dir, 'key'), now: () => NOW });
      await expect(keeper.take(changed)).rejects.toThrow(/./);
      expect(keeper.state()).toBe('missing');
    }),
    { numRuns: 100 },
  );
});
