import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffJson } from '#controller/admission/json-patch.ts';
import { applyPatch } from '#test/controller/admission/fixture.ts';

const named = fc.record({ name: fc.constantFrom('a', 'b', 'c'), value: fc.jsonValue({ maxDepth: 1 }) });
const json = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.record({ list: fc.array(fc.oneof(named, fc.jsonValue({ maxDepth: 1 })), { maxLength: 8 }) }),
  fc.dictionary(fc.constantFrom('a/b', 'm~n', '', '__proto__', 'constructor', 'x'), fc.jsonValue({ maxDepth: 2 })),
);
const clean = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('diffJson', () => {
  it('gives operations that turn any JSON value into any other', () => {
    fc.assert(
      fc.property(json, json, (before, after) => {
        const [from, to] = [clean(before), clean(after)];
        expect(applyPatch(from, diffJson(from, to))).toEqual(to);
      }),
      { numRuns: 500 },
    );
  });

  it('gives nothing for a value and its copy', () => {
    fc.assert(
      fc.property(fc.array(named, { maxLength: 5 }), fc.jsonValue(), (list, rest) => {
        expect(diffJson(clean({ list }), clean({ list }))).toEqual([]);
        const value = clean(rest);
        expect(diffJson(value, value)).toEqual([]);
      }),
    );
  });

  it('puts an item in front of a list with one operation', () => {
    const item = { name: 'b' };
    expect(diffJson({ l: [item] }, { l: [{ name: 'a' }, item] })).toEqual([
      { op: 'add', path: '/l/0', value: { name: 'a' } },
    ]);
  });

  it('moves an item without touching the others', () => {
    const [a, b, c] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];
    expect(diffJson([b, c, a], [a, b, c])).toEqual([
      { op: 'add', path: '/0', value: a },
      { op: 'remove', path: '/3' },
    ]);
  });

  it('replaces a list whole when an alignment would cost too much', () => {
    const before = Array.from({ length: 2_000 }, (_, i) => ({ name: `a${i}` }));
    const after = Array.from({ length: 2_000 }, (_, i) => ({ name: `b${i}` }));
    expect(diffJson({ list: before }, { list: after })).toEqual([{ op: 'replace', path: '/list', value: after }]);
  });
});
