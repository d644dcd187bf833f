import { describe, expect, it } from 'vitest';
import { admission } from '#cli/admission.ts';
import { UsageError } from '#cli/io.ts';
import { LIMIT } from '#contract/limit.ts';
import { applyPatch, makePod, makeReview } from '#test/controller/admission/fixture.ts';

interface Run {
  readonly code: number;
  readonly out: string;
}

async function run(
  args: readonly string[],
  input: readonly (string | Uint8Array)[],
  files: Readonly<Record<string, string>> = {},
): Promise<Run> {
  let out = '';
  const code = await admission(args, {
    stdin: stream(input),
    stdout: (text) => {
      out += text;
    },
    stderr: () => undefined,
    readFile: async (path) => {
      const text = files[path];
      if (text === undefined) throw new Error('ENOENT');
      return text;
    },
    writeFile: () => Promise.reject(new Error('nothing is written')),
  });
  return { code, out };
}

async function* stream(input: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of input) yield typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk;
}

const text = (object: unknown, request = {}) => JSON.stringify(makeReview(object, request));
const responseOf = (line: string) => JSON.parse(line).response;
const lines = (out: string) => out.trimEnd().split('\n').map(responseOf);

describe('lazaret admission review', () => {
  it('answers a review of a PHI-bearing pod with a patch, and exits 0', async () => {
    const { code, out } = await run(['review'], [text(makePod(), { uid: 'u-1' })]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: 'u-1', allowed: true, patchType: 'JSONPatch' },
    });
  });

  it('answers a bypass with rule, field and remedy, and exits 1', async () => {
    const { code, out } = await run(['review'], [text(makePod({ hostNetwork: true }))]);
    expect(code).toBe(1);
    expect(responseOf(out).status.message).toMatch(/^lazaret: B-06 spec\.hostNetwork: .+ Remove hostNetwork/);
  });

  it('finds nothing to do when its own patch has been applied', async () => {
    const first = responseOf((await run(['review'], [text(makePod())])).out);
    const pod = applyPatch(makePod(), JSON.parse(Buffer.from(first.patch, 'base64').toString()));
    const second = responseOf((await run(['review'], [text(pod)])).out);
    expect(second).toEqual({ uid: expect.any(String), allowed: true });
  });

  it('takes values and a namespace from YAML and from JSON', async () => {
    const yaml =
      'values: {admission: {runtimeClasses: [kata]}}\nnamespace: {name: clinic, labels: {lazaret.dev/guard: all}}\n';
    const json = JSON.stringify({
      values: { admission: { runtimeClasses: ['kata'] } },
      namespace: { name: 'clinic', labels: { 'lazaret.dev/guard': 'all' } },
    });
    const pod = { ...makePod({ runtimeClassName: 'kata' }), metadata: { name: 'a' } };
    for (const config of [yaml, json])
      expect(responseOf((await run(['review', '--config', 'c'], [text(pod)], { c: config })).out).patch).toBeDefined();
    expect(responseOf((await run(['review'], [text(pod)])).out)).toEqual({ uid: expect.any(String), allowed: true });
  });

  it('lets the review’s own namespace name count where the configuration names none', async () => {
    expect(
      responseOf((await run(['review'], [text(makePod(), { namespace: 'kube-system' })])).out).patch,
    ).toBeUndefined();
    expect(responseOf((await run(['review'], [text(makePod(), { namespace: 'anything' })])).out).patch).toBeDefined();
  });

  it('answers what is no JSON and what is too long with a denial', async () => {
    for (const input of ['', '{', 'null', '[]']) {
      const { code, out } = await run(['review'], [input]);
      expect(code).toBe(1);
      expect(responseOf(out)).toMatchObject({ uid: '', allowed: false, status: { code: 400 } });
    }
    const { out } = await run(['review'], [new Uint8Array(LIMIT.admissionBytes + 1).fill(32)]);
    expect(responseOf(out)).toMatchObject({ allowed: false, status: { code: 413 } });
  });

  it('takes a review of 2.9 MB', async () => {
    const pod = makePod();
    const heavy = { ...pod, metadata: { ...pod.metadata, annotations: { 'example.org/blob': 'x'.repeat(2_900_000) } } };
    expect((await run(['review'], [text(heavy)])).code).toBe(0);
  });

  it('refuses wrong usage in one sentence that says what to do', async () => {
    const wrong: readonly (readonly [readonly string[], Readonly<Record<string, string>>])[] = [
      [[], {}],
      [['revue'], {}],
      [['review', 'x'], {}],
      [['review', '--nonsense'], {}],
      [['review', '--config', 'missing'], {}],
      [['review', '--config', 'c'], { c: '{a: [' }],
      [['review', '--config', 'c'], { c: 'namespaces: {}' }],
      [['review', '--config', 'c'], { c: 'values: {sidecar: {resources: 7}}' }],
    ];
    for (const [args, files] of wrong) await expect(run(args, [], files)).rejects.toThrow(UsageError);
  });
});

describe('lazaret admission review --jsonl', () => {
  it('answers one review a line, in order, and exits 0 although some are denied', async () => {
    const input = [
      text(makePod(), { uid: 'a' }),
      text(makePod({ hostPID: true }), { uid: 'b' }),
      'no json',
      text({ ...makePod(), metadata: {} }, { uid: 'd' }),
    ].join('\n');
    const { code, out } = await run(['review', '--jsonl'], [`${input}\n`]);
    expect(code).toBe(0);
    expect(lines(out).map(({ uid, allowed }) => [uid, allowed])).toEqual([
      ['a', true],
      ['b', false],
      ['', false],
      ['d', true],
    ]);
  });

  it('answers each line as it comes', async () => {
    const seen: string[] = [];
    let release: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* stdin(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode(`${text(makePod(), { uid: 'first' })}\n`);
      await answered;
      yield new TextEncoder().encode(text(makePod(), { uid: 'second' }));
    }
    const code = await admission(['review', '--jsonl'], {
      stdin: stdin(),
      stdout: (line) => {
        seen.push(responseOf(line).uid);
        release();
      },
      stderr: () => undefined,
      readFile: () => Promise.reject(new Error('none')),
      writeFile: () => Promise.reject(new Error('none')),
    });
    expect([code, ...seen]).toEqual([0, 'first', 'second']);
  });

  it('gives the same answers wherever the input is cut', async () => {
    const input = Buffer.from(
      `${text(makePod({}, { image: 'größe:1' }), { uid: 'ä' })}\r\n\n${text(makePod({ hostIPC: true }), { uid: '日本' })}\n`,
    );
    const pieces = (size: number) =>
      Array.from({ length: Math.ceil(input.length / size) }, (_, i) => input.subarray(i * size, (i + 1) * size));
    const uids = async (size: number) =>
      lines((await run(['review', '--jsonl'], pieces(size))).out).map(({ uid, allowed }) => [uid, allowed]);
    const whole = await uids(input.length);
    expect(whole).toEqual([
      ['ä', true],
      ['', false],
      ['日本', false],
    ]);
    for (const size of [1, 2, 3, 7, 64, 1_000]) expect(await uids(size)).toEqual(whole);
  });

  it('answers a line that is too long with a denial and goes on', async () => {
    const long = new Uint8Array(LIMIT.admissionBytes + 10).fill(120);
    const { code, out } = await run(
      ['review', '--jsonl'],
      [long.subarray(0, 1_000_000), long.subarray(1_000_000), '\n', text(makePod(), { uid: 'next' })],
    );
    expect(code).toBe(0);
    expect(lines(out).map(({ uid, status }) => [uid, status?.code])).toEqual([
      ['', 413],
      ['next', undefined],
    ]);
  });

  it('answers nothing to no input', async () => {
    expect(await run(['review', '--jsonl'], [])).toEqual({ code: 0, out: '' });
  });
});
