import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ChainId } from '#contract/brand.ts';
import { chainFrame, genesis, linkAfter, nextHead } from '#contract/chain.ts';
import { parseSegmentStart, walkFrames } from '#contract/chain-segment.ts';
import { SIGNED_TYPE } from '#contract/chain-signature.ts';
import { coveredBytes, encodeFrame, type Frame, FRAME_TYPE } from '#contract/record-frame.ts';
import { readRecord } from '#contract/record-read.ts';
import { startAudit } from '#sidecar/audit/audit.ts';
import { SigningKey } from '#sidecar/audit/signing-key.ts';
import {
  evidenceOptions,
  newChain,
  outcomeFacts,
  recipients,
  refusedFacts,
  requestFacts,
} from '#test/sidecar/audit/facts.ts';
import { collectorRig, filesBelow, folder, runAudit } from '#test/sidecar/audit/rig.ts';

const root = mkdtempSync(join(tmpdir(), 'lazaret-verify-'));
const later: (() => void | Promise<void>)[] = [];
const chains: ChainId[] = [newChain(), newChain()];
let original = '';

/** Two pods, three lives each, ended in order: the evidence every mutation starts from. */
beforeAll(async () => {
  const rig = await collectorRig(root, (work) => void later.push(work));
  const collector = await rig.start();
  const sending = { url: `https://127.0.0.1:${collector.port}`, ca: rig.ca, tokenFile: rig.tokenFile };
  const keys = recipients();
  for (const chain of chains) {
    for (let life = 0; life < 3; life++) {
      const audit = await startAudit({
        evidence: evidenceOptions(join(root, chain), { chain, recipients: keys }),
        collector: sending,
      });
      for (let at = 0; at < 3; at++) {
        const ledger = await audit.evidence.request(requestFacts(`${chain.slice(-6)}-${life}-${at}-exchange`), {
          sent: Buffer.alloc(300, 'a'),
          vault: '[]',
        });
        await ledger.part(Buffer.alloc(300, 'b'));
        await ledger.finish(outcomeFacts());
      }
      await audit.evidence.refused(refusedFacts(`${chain.slice(-6)}-${life}-refused`));
      await audit.close(30_000);
    }
  }
  await collector.close();
  original = rig.store;
});
afterAll(async () => {
  for (const work of later) await work();
  rmSync(root, { recursive: true, force: true });
});

function copyStore(): string {
  const store = join(folder(), 'store');
  cpSync(original, store, { recursive: true });
  return store;
}

async function verify(store: string, ...more: string[]) {
  const { code, lines } = await runAudit(
    'verify',
    '--store',
    store,
    '--trust',
    join(original, 'jwks.json'),
    '--json',
    ...more,
  );
  return { code, found: [...new Set(lines.filter(({ level }) => level === 'finding').map(({ finding }) => finding))] };
}

function segmentsOf(store: string, chain: ChainId): string[] {
  const dir = join(store, 'chains', chain);
  return readdirSync(dir)
    .filter((name) => name.endsWith('.seg'))
    .sort()
    .map((name) => join(dir, name));
}

/** The frames of a segment, header first. */
function framesOf(path: string): {
  readonly header: Buffer;
  readonly frames: readonly { readonly bytes: Buffer; readonly frame: Frame }[];
} {
  const bytes = readFileSync(path);
  const start = parseSegmentStart(bytes)!;
  const frames = [...walkFrames(bytes, start.next, start.head)].flatMap((step) =>
    step.kind === 'frame' ? [{ bytes: bytes.subarray(step.at, step.frame.next), frame: step.frame }] : [],
  );
  return { header: bytes.subarray(0, start.next), frames };
}

function rewrite(path: string, change: (frames: Buffer[]) => Buffer[]): void {
  const { header, frames } = framesOf(path);
  writeFileSync(path, Buffer.concat([header, ...change(frames.map(({ bytes }) => Buffer.from(bytes)))]));
}

const MIDDLE = 5;

test('an untouched store has no finding, with trust and without', async () => {
  expect(await verify(original)).toEqual({ code: 0, found: [] });
  const { code, lines } = await runAudit('verify', '--store', original, '--json');
  expect(code).toBe(0);
  expect(lines.map(({ finding, level }) => [finding, level])).toEqual([['trust_not_checked', 'notice']]);
});

interface Mutation {
  readonly name: string;
  readonly finding: string;
  readonly apply: (store: string) => void;
}

const first = (store: string): string => segmentsOf(store, chains[0]!)[0]!;
const lastOf = (store: string): string => segmentsOf(store, chains[0]!).at(-1)!;

const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a flipped bit',
    finding: 'edited',
    apply: (store) => flip(first(store), Math.floor(statSync(first(store)).size / 2)),
  },
  {
    name: 'an edited record with its checksum made right',
    finding: 'edited',
    apply: (store) =>
      rewrite(first(store), (frames) =>
        frames.map((bytes) =>
          bytes[8] === FRAME_TYPE.record && bytes.includes('"stage":"blocked"')
            ? encodeFrame(
                FRAME_TYPE.record,
                Buffer.from(bytes.subarray(9).toString().replace('agreement_missing', 'agreement_expired')),
              )
            : bytes,
        ),
      ),
  },
  {
    name: 'an edited record with every unsigned link after it made right',
    finding: 'edited',
    apply: (store) => relink(first(store), chains[0]!),
  },
  {
    name: 'a deleted record',
    finding: 'gap',
    apply: (store) => rewrite(first(store), (frames) => frames.toSpliced(MIDDLE, 1)),
  },
  {
    name: 'a record put in twice',
    finding: 'foreign_record',
    apply: (store) => rewrite(first(store), (frames) => frames.toSpliced(MIDDLE, 0, frames[recordAt(frames)]!)),
  },
  { name: 'two records in another order', finding: 'reordered', apply: (store) => rewrite(first(store), swapRecords) },
  {
    name: 'a tail cut by bytes',
    finding: 'truncated_tail',
    apply: (store) => truncateSync(lastOf(store), statSync(lastOf(store)).size - 7),
  },
  {
    name: 'a tail cut by whole records',
    finding: 'truncated_tail',
    apply: (store) => rewrite(lastOf(store), (frames) => frames.slice(0, -2)),
  },
  { name: 'a last segment removed', finding: 'truncated_tail', apply: (store) => rmSync(lastOf(store)) },
  { name: 'a middle segment removed', finding: 'gap', apply: (store) => rmSync(segmentsOf(store, chains[0]!)[1]!) },
  {
    name: 'a whole chain removed',
    finding: 'missing_chain',
    apply: (store) => rmSync(join(store, 'chains', chains[0]!), { recursive: true }),
  },
  {
    name: 'every segment of a chain removed',
    finding: 'missing_chain',
    apply: (store) => segmentsOf(store, chains[0]!).forEach((path) => rmSync(path)),
  },
  {
    name: 'a segment taken from another chain',
    finding: 'foreign_record',
    apply: (store) => cpSync(segmentsOf(store, chains[1]!)[0]!, first(store)),
  },
  {
    name: 'a segment stored a second time',
    finding: 'fork',
    apply: (store) =>
      cpSync(segmentsOf(store, chains[0]!)[1]!, join(store, 'chains', chains[0]!, '00000009-00000000.seg')),
  },
  { name: 'two segments in another order', finding: 'reordered', apply: swapSegments },
  {
    name: 'bytes after the end',
    finding: 'edited',
    apply: (store) => writeFileSync(lastOf(store), Buffer.concat([readFileSync(lastOf(store)), Buffer.from('more')])),
  },
  {
    name: 'a checkpoint signed by another key',
    finding: 'bad_signature',
    apply: (store) => forge(store, SigningKey.create()),
  },
  {
    name: 'a whole life forged with a key that nobody attested',
    finding: 'untrusted_key',
    apply: (store) => forgeLife(store),
  },
  {
    name: 'a receipt removed',
    finding: 'missing_receipt',
    apply: (store) => rmSync(join(store, 'chains', chains[0]!, 'receipt.jws')),
  },
  { name: 'a manifest removed', finding: 'missing_receipt', apply: (store) => rmSync(join(store, 'manifest.jws')) },
  {
    name: 'the receipt of another chain',
    finding: 'bad_signature',
    apply: (store) =>
      cpSync(join(store, 'chains', chains[1]!, 'receipt.jws'), join(store, 'chains', chains[0]!, 'receipt.jws')),
  },
  {
    name: 'attestations removed',
    finding: 'untrusted_key',
    apply: (store) => rmSync(join(store, 'chains', chains[0]!, 'attestations.jws')),
  },
];

test.each(MUTATIONS.map((mutation) => [mutation.name, mutation.finding, mutation.apply] as const))(
  '%s is found as %s',
  async (_name, finding, apply) => {
    const store = copyStore();
    apply(store);
    const { code, found } = await verify(store);
    expect(code).toBe(1);
    expect(found).toContain(finding);
  },
);

test('any change of a byte, cut or removal of any evidence file is a finding', async () => {
  const names = filesBelow(original)
    .map((path) => path.slice(original.length))
    .filter((name) => /\.(seg|jws)$/.test(name));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.constantFrom('flip', 'cut', 'remove', 'zero'),
      fc.nat(),
      async (name, how, at) => {
        const store = copyStore();
        const path = join(store, name);
        // The newline that ends a statement says nothing.
        const size = statSync(path).size - (name.endsWith('.jws') ? 1 : 0);
        if (how === 'flip') flip(path, at % size);
        else if (how === 'cut') truncateSync(path, at % size);
        else if (how === 'zero')
          writeFileSync(
            path,
            Buffer.concat([readFileSync(path).subarray(0, at % size), Buffer.alloc(size - (at % size))]),
          );
        else rmSync(path);
        expect((await verify(store)).code, `${how} ${name} ${at % size}`).toBe(1);
      },
    ),
    { numRuns: 120, seed: 7 },
  );
});

test('a chain that the controller expects and the store lacks is found; one that goes on further than the store too', async () => {
  const expectation = join(folder(), 'expected.json');
  const lost = newChain();
  const { lines } = await runAudit('list', '--store', original, '--chain', chains[1]!, '--stage', 'close', '--json');
  const seq = Number(lines.at(-1)!.seq);
  const write = (list: unknown[]): void => writeFileSync(expectation, JSON.stringify({ chains: list }));
  write([{ chain: lost, pod: 'clinic/notes-1', from: 1, to: 2, seq: 4, head: 'A'.repeat(43) }]);
  expect(await verify(original, '--expect', expectation)).toEqual({ code: 1, found: ['missing_chain'] });
  write([{ chain: chains[1], pod: 'clinic/notes-1', from: 1, to: 2, seq: seq + 5, head: 'A'.repeat(43) }]);
  expect(await verify(original, '--expect', expectation)).toEqual({ code: 1, found: ['truncated_tail'] });
  write([{ chain: chains[1], pod: 'clinic/notes-1', from: 1, to: 2, seq, head: 'A'.repeat(43) }]);
  expect(await verify(original, '--expect', expectation)).toEqual({ code: 1, found: ['edited'] });
});

test('wrong usage exits with a sentence and never with the words of what was read', async () => {
  const empty = folder();
  await expect(runAudit('verify', '--store', empty)).rejects.toThrow('is not an evidence store');
  await expect(runAudit('verify', '--store', original, '--trust', join(empty, 'none'))).rejects.toThrow(
    'cannot be read',
  );
  await expect(
    runAudit('open', '--store', original, '--key', join(original, 'jwks.json'), '--id', 'exchange-1'),
  ).rejects.toThrow('is no private P-256 JWK');
  await expect(runAudit('list', '--store', original, '--stage', 'nonsense')).rejects.toThrow('--stage takes one of');
  await expect(runAudit('burn', '--store', original)).rejects.toThrow('list, verify or open');
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

function recordAt(frames: readonly Buffer[]): number {
  return frames.findIndex((bytes) => bytes[8] === FRAME_TYPE.record);
}

/** Swaps two neighbouring records, whole exchanges' last frames. */
function swapRecords(frames: Buffer[]): Buffer[] {
  const at = frames.findIndex(
    (bytes, index) => bytes[8] === FRAME_TYPE.record && frames[index + 1]?.[8] === FRAME_TYPE.signed,
  );
  return frames.toSpliced(at, 2, frames[at + 1]!, frames[at]!);
}

function swapSegments(store: string): void {
  const [one = '', two = ''] = segmentsOf(store, chains[0]!);
  const aside = `${one}.aside`;
  renameSync(one, aside);
  renameSync(two, one);
  renameSync(aside, two);
}

/** The strongest edit an adversary without a key can make: everything up to the next signed record is made consistent. */
function relink(path: string, chain: ChainId): void {
  const { header, frames } = framesOf(path);
  let head = genesis(chain);
  let signedSeen = 0;
  const out: Buffer[] = [header];
  for (const { bytes, frame } of frames) {
    if (frame.type === FRAME_TYPE.signed) signedSeen++;
    if (frame.type !== FRAME_TYPE.record || signedSeen !== 1) {
      out.push(Buffer.from(bytes));
      head = nextHead(head, coveredBytes(bytes));
      continue;
    }
    const { record } = readRecord(frame)!;
    const edited = {
      ...record,
      ...linkAfter(chain, head),
      ...(record.stage === 'request' ? { credential: 'forged' } : {}),
    };
    const next = chainFrame(head, FRAME_TYPE.record, Buffer.from(JSON.stringify(edited)));
    out.push(next.frame);
    head = next.head;
  }
  writeFileSync(path, Buffer.concat(out));
}

function forge(store: string, key: SigningKey): void {
  rewrite(lastOf(store), (frames) =>
    frames.map((bytes) => {
      if (bytes[8] !== FRAME_TYPE.signed || bytes === frames.find((each) => each[8] === FRAME_TYPE.signed))
        return bytes;
      const payload = Buffer.from(bytes.subarray(9).toString('latin1').split('.')[1]!, 'base64url').toString('utf8');
      return encodeFrame(FRAME_TYPE.signed, Buffer.from(key.sign(SIGNED_TYPE.record, payload)));
    }),
  );
}

/** Replaces the keys of a life: consistent in itself, signed by a key that the adversary made. */
function forgeLife(store: string): void {
  const key = SigningKey.create();
  const { header, frames } = framesOf(lastOf(store));
  let { head } = parseSegmentStart(header)!;
  const out: Buffer[] = [header];
  for (const { frame } of frames) {
    const read = readRecord(frame);
    const record =
      read === null
        ? null
        : {
            ...read.record,
            ...linkAfter(chains[0]!, head),
            ...(read.record.stage === 'open' ? { key: key.public, kid: key.kid } : {}),
          };
    const json = JSON.stringify(record);
    const payload =
      record === null
        ? frame.payload
        : Buffer.from(frame.type === FRAME_TYPE.signed ? key.sign(SIGNED_TYPE.record, json) : json);
    const next = chainFrame(head, frame.type, payload);
    out.push(next.frame);
    head = next.head;
  }
  writeFileSync(lastOf(store), Buffer.concat(out));
}
