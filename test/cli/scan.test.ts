import { expect, test } from 'vitest';
import { scan } from '#cli/scan.ts';
import { agreement, egressPolicy, exemption, values } from '../contract/policy-fixture.ts';

async function run(args: readonly string[], stdin = '', files: Readonly<Record<string, string>> = {}) {
  let out = '';
  let err = '';
  const bytes = new TextEncoder().encode(stdin);
  const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.slice(i * 7, i * 7 + 7));
  const code = await scan(args, {
    stdin: (async function* () {
      yield* chunks;
    })(),
    stdout: (text) => {
      out += text;
    },
    stderr: (text) => {
      err += text;
    },
    readFile: (path) =>
      files[path] === undefined ? Promise.reject(new Error('missing')) : Promise.resolve(files[path]),
  });
  return { code, out, err };
}

test('--jsonl answers each line in order with spans that rebuild the redacted text', async () => {
  const texts = ['Pt José Quill, MRN 4471902', 'nothing here', '😀 seen by Dr. Okonjo'];
  const { code, out } = await run(
    ['--jsonl', '--dates', 'whole'],
    texts.map((text, id) => JSON.stringify({ id, text })).join('\n'),
  );
  expect(code).toBe(0);
  const lines = out
    .trim()
    .split('\n')
    .map(
      (line) =>
        JSON.parse(line) as {
          id: number;
          redacted: string;
          spans: { start: number; end: number; entity: string; score: number; surrogate: string }[];
        },
    );
  expect(lines.map((line) => line.id)).toEqual([0, 1, 2]);
  for (const [index, line] of lines.entries()) {
    const text = texts[index] ?? '';
    let rebuilt = '';
    let at = 0;
    for (const span of line.spans) {
      rebuilt += text.slice(at, span.start) + span.surrogate;
      at = span.end;
    }
    expect(rebuilt + text.slice(at)).toBe(line.redacted);
  }
  expect(lines[0]?.redacted).not.toMatch(/Quill|4471902/);
});

test('a found identifier is exit code 3 with --fail-on-find and 0 without', async () => {
  expect((await run([], 'Pt Eloise Thornquist')).code).toBe(0);
  expect((await run(['--fail-on-find'], 'Pt Eloise Thornquist')).code).toBe(3);
  expect((await run(['--fail-on-find'], 'the lungs are clear')).code).toBe(0);
});

test('the human form marks spans and counts them', async () => {
  const { out } = await run(['note.txt'], '', { 'note.txt': 'Pt Eloise Thornquist' });
  expect(out).toMatch(/\[Eloise Thornquist → NAME_1a\d\d\]/);
  expect(out).toMatch(/name\s+1/);
});

test('--json gives one object a file', async () => {
  const { out } = await run(['--json', 'a', 'b'], '', { a: 'x', b: 'MRN 4471902' });
  expect(
    out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { file: string }).file),
  ).toEqual(['a', 'b']);
});

test.each([
  [['--wrong'], '', /Unknown option '--wrong'/],
  [['--dates', 'never'], '', /--dates takes/],
  [['--jsonl', 'file'], '', /takes no files/],
  [['missing.txt'], '', /cannot read missing\.txt/],
  [['--jsonl'], '{"id":1}\n', /line 1 is not/],
  [['--jsonl'], 'not json about Eloise Thornquist\n', /line 1 is not/],
])('wrong use or input %j is exit code 2 with a sentence that shows no text', async (args, stdin, message) => {
  const { code, err } = await run(args, stdin);
  expect(code).toBe(2);
  expect(err).toMatch(message);
  expect(err).not.toContain('Thornquist');
});

const NOTE = 'Pt Eloise Thornquist, SSN 123-45-6789, seen 3/14/2024';

async function underPolicy(documents: readonly unknown[], ...args: readonly string[]) {
  return await run([...args, '--policy', 'source', 'note'], '', { note: NOTE, source: JSON.stringify(documents) });
}

test('--policy shows what a policy refuses, and why', async () => {
  const { out, code } = await underPolicy([agreement(), egressPolicy({ entities: { ssn: 'block' } })]);
  expect(code).toBe(0);
  expect(out).toMatch(/\[123-45-6789 → refused\]/);
  expect(out).toMatch(/refused: identifier_not_allowed \(ssn\)/);
});

test('--policy counts different identifiers against the ceiling', async () => {
  const documents = [agreement(), egressPolicy({ maxIdentifiers: 2 })];
  expect((await underPolicy(documents)).out).toMatch(
    /refused: too_many_identifiers \(3 different ones, 2 are allowed\)/,
  );
  const [line] = (await underPolicy(documents, '--json')).out.split('\n');
  expect(JSON.parse(line ?? '')).toMatchObject({ redacted: null, refused: { reason: 'too_many_identifiers' } });
});

test('--policy says what happens to dates', async () => {
  expect((await underPolicy([agreement(), egressPolicy({ dates: 'whole' })], '--json')).out).not.toContain('2024');
  expect((await underPolicy([agreement(), egressPolicy({})], '--json')).out).toContain('2024');
  expect((await underPolicy([agreement()], '--dates', 'whole')).code).toBe(2);
});

test('what a grant lets pass is shown as kept and left as it is', async () => {
  const from = new Date(Date.now() - 3_600_000).toISOString();
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const grant = exemption({ keepEntities: ['name'] }, { from, until });
  const { out } = await underPolicy([agreement(), values({}), grant]);
  expect(out).toMatch(/\[Eloise Thornquist → kept\]/);
  expect(out).toMatch(/name\s+1\s+kept/);
});
