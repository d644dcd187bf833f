import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { genesis } from '#contract/chain.ts';
import { parseSegmentStart, walkFrames } from '#contract/chain-segment.ts';
import { verifyChain } from '#contract/chain-verify.ts';
import { readRecord } from '#contract/record-read.ts';
import { openEvidence } from '#sidecar/audit/evidence.ts';
import { AuditUnavailable } from '#sidecar/exchange/evidence.ts';
import { evidenceOptions, newChain, outcomeFacts, requestFacts } from './facts.ts';
import { folder } from './rig.ts';

const NODE = join(import.meta.dirname, '../../../node_modules/.bin/node');
const CHILD = fileURLToPath(new URL('./writer-child.ts', import.meta.url));

interface Writer {
  readonly child: ChildProcess;
  readonly lines: string[];
  /** Waits until a line came that fits. */
  until(fits: (line: string, count: number) => boolean): Promise<void>;
  readonly ended: Promise<unknown>;
}

/** Starts a process that writes through the spool. `limit` is a shell prefix such as `ulimit -f 40`. */
function startWriter(
  dir: string,
  chain: string,
  given: { readonly parallel: number; readonly count?: number; readonly quota?: number; readonly limit?: string },
): Writer {
  const { parallel, count = 0, quota = 0, limit } = given;
  const words = [
    NODE,
    '--disable-warning=ExperimentalWarning',
    CHILD,
    dir,
    chain,
    String(parallel),
    String(count),
    String(quota),
  ];
  const child = spawn('sh', ['-c', `${limit === undefined ? '' : `${limit}; `}exec "$@"`, 'sh', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const text = rest + chunk.toString('utf8');
    const whole = text.split('\n');
    rest = whole.pop() ?? '';
    lines.push(...whole);
    for (const watch of watchers) watch();
  });
  const ended = once(child, 'close').then(() => {
    for (const watch of watchers) watch();
  });
  const until = (fits: (line: string, count: number) => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      let seen = 0;
      const look = (): void => {
        while (seen < lines.length) if (fits(lines[seen++]!, seen)) return done();
        if (child.exitCode !== null || child.signalCode !== null)
          reject(new Error(`the writer ended: ${lines.slice(-3).join(' | ')}`));
      };
      const done = (): void => {
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });
  return { child, lines, until, ended };
}

function segments(dir: string) {
  const names = readdirSync(dir)
    .filter((name) => name.endsWith('.seg'))
    .sort();
  return names.map((name) => ({ bytes: readFileSync(join(dir, name)), last: name === names.at(-1) }));
}

function records(dir: string): { readonly stage: string; readonly id?: string | undefined }[] {
  return segments(dir).flatMap(({ bytes }) => {
    const start = parseSegmentStart(bytes)!;
    return [...walkFrames(bytes, start.next, start.head)].flatMap((step) =>
      step.kind === 'frame' ? [readRecord(step.frame)?.record ?? []].flat() : [],
    );
  });
}

/** A small generator of chance that a seed reproduces. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('after kill -9 at 20 random moments the chain verifies, nothing acknowledged is lost and every exchange has an outcome', async () => {
  const dir = folder();
  const chain = newChain();
  const random = chance(20_261_122);
  const acknowledged: string[] = [];
  for (let seed = 0; seed < 20; seed++) {
    const writer = startWriter(dir, chain, { parallel: 1 + (seed % 4) });
    const moment = 1 + Math.floor(random() * 60);
    await writer.until((_line, count) => count >= moment);
    writer.child.kill('SIGKILL');
    await writer.ended;
    acknowledged.push(...writer.lines.filter((line) => /^[RO] /.test(line)));
  }
  const evidence = await openEvidence(evidenceOptions(dir, { chain }));
  await evidence.close();
  const findings = verifyChain(chain, segments(dir), { places: [], attested: new Set() }).filter(
    ({ finding }) => finding !== 'untrusted_key',
  );
  expect(findings).toEqual([]);
  const stored = records(dir);
  const requests = new Set(stored.filter(({ stage }) => stage === 'request').map(({ id }) => id));
  const outcomes = new Set(stored.filter(({ stage }) => stage === 'response' || stage === 'error').map(({ id }) => id));
  expect(acknowledged.length).toBeGreaterThan(40);
  for (const line of acknowledged)
    expect((line.startsWith('R') ? requests : outcomes).has(line.slice(2)), line).toBe(true);
  expect([...requests].filter((id) => !outcomes.has(id))).toEqual([]);
}, 180_000);

test.each([
  { blocks: 48, refuses: true },
  { blocks: 600, refuses: false },
])(
  'a volume that cuts writes short at $blocks blocks a file refuses ($refuses) or goes on in a new segment, and nothing acknowledged is lost',
  async ({ blocks, refuses }) => {
    const dir = folder();
    const chain = newChain();
    const writer = startWriter(dir, chain, { parallel: 2, count: 40, limit: `trap '' XFSZ; ulimit -f ${blocks}` });
    await writer.ended;
    expect(writer.lines.filter((line) => line.startsWith('F ')).length).toBeGreaterThan(0);
    expect(writer.lines.some((line) => line.startsWith('X '))).toBe(refuses);
    const found = verifyChain(chain, segments(dir), { places: [], attested: new Set() }).map(({ finding }) => finding);
    expect(found).toEqual(['untrusted_key']);
    const requests = new Set(
      records(dir)
        .filter(({ stage }) => stage === 'request')
        .map(({ id }) => id),
    );
    const acknowledged = writer.lines.filter((each) => each.startsWith('R '));
    expect(acknowledged.filter((line) => !requests.has(line.slice(2)))).toEqual([]);
  },
);

test('a spool at 85 % of its quota refuses new exchanges while running ones still end', async () => {
  const evidence = await openEvidence(evidenceOptions(folder(), { quotaBytes: 100_000 }));
  const running = await evidence.request(requestFacts('exchange-running'), { sent: Buffer.alloc(100), vault: '[]' });
  const states = new Set<string>();
  const fill = async (at: number): Promise<number> => {
    states.add(evidence.state());
    const filled = await evidence
      .request(requestFacts(`exchange-${at}-filling`), { sent: Buffer.alloc(2_000), vault: '[]' })
      .catch((error: unknown) => error);
    return filled instanceof AuditUnavailable ? at : fill(at + 1);
  };
  expect(await fill(0)).toBeGreaterThan(5);
  expect([...states]).toEqual(['ok', 'warn']);
  expect(evidence.spool.status().bytes).toBeLessThanOrEqual(85_000);
  await running.part(Buffer.alloc(2_000));
  await expect(running.finish(outcomeFacts())).resolves.toBeUndefined();
  await evidence.close();
});

test('a spool segment that is removed while it is written is noticed, and what is acknowledged afterwards lies in a new one', async () => {
  const dir = folder();
  const faults: string[] = [];
  const evidence = await openEvidence(evidenceOptions(dir, { onFault: (code) => faults.push(code) }));
  for (const name of readdirSync(dir)) rmSync(join(dir, name));
  await evidence.request(requestFacts('exchange-after'), { sent: Buffer.alloc(100), vault: '[]' });
  expect(faults).toEqual(['fault']);
  expect(records(dir).map(({ id }) => id)).toContain('exchange-after');
  await evidence.close();
});

test('a spool folder that takes no new file refuses every exchange, and recovers by itself when it does again', async () => {
  const dir = folder();
  const evidence = await openEvidence(evidenceOptions(dir));
  rmSync(dir, { recursive: true });
  await expect(evidence.request(requestFacts('exchange-none'), { sent: Buffer.alloc(1), vault: '[]' })).rejects.toThrow(
    'spool',
  );
  expect(evidence.state()).toBe('refuse');
  mkdirSync(dir);
  const recovered = new Promise<void>((resolve) => {
    evidence.onDurable = () => resolve();
  });
  evidence.connection({
    connection: 1,
    decision: 'splice',
    reason: null,
    host: 'example.org',
    listed: true,
    address: '192.0.2.1',
    port: 443,
  });
  await recovered;
  expect(evidence.state()).toBe('ok');
  await evidence.close();
  const stages = records(dir).map(({ stage }) => stage);
  expect(stages.filter((stage) => stage !== 'checkpoint')).toEqual(['connection', 'close']);
});

test('the chain of a fresh spool begins at its genesis and a second process continues it', async () => {
  const dir = folder();
  const options = evidenceOptions(dir);
  await (await openEvidence(options)).close();
  await (await openEvidence(options)).close();
  const [first, second] = segments(dir).map(({ bytes }) => parseSegmentStart(bytes)!);
  expect(first!.head).toEqual(genesis(options.chain));
  expect(second!.head.seq).toBe(3);
  expect(
    verifyChain(options.chain, segments(dir), { places: [], attested: new Set() }).map(({ finding }) => finding),
  ).toEqual(['untrusted_key', 'untrusted_key']);
});
