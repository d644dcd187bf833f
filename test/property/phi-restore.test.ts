import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ENTITIES } from '#contract/entity.ts';
import { Phi } from '#contract/phi.ts';
import { createRestorer } from '#phi/restore.ts';
import { findLookalikes, formatSurrogate } from '#phi/surrogate.ts';
import { Vault, type VaultEntry } from '#phi/vault.ts';

const surrogate = fc.tuple(
  fc.constantFrom(...ENTITIES),
  fc.integer({ min: 1, max: 120 }),
  fc.integer({ min: 0, max: 40 }),
);
const vault = fc
  .uniqueArray(surrogate, { minLength: 1, maxLength: 12, selector: (each) => each.join() })
  .chain((issued) =>
    fc.tuple(
      fc.constant(issued),
      fc.array(fc.constantFrom('Jane Roe', '"quoted"', '\\1 $& $1', 'a\nb', '4471902', 'NAME_1a62', '😀', 'x'), {
        minLength: issued.length,
        maxLength: issued.length,
      }),
      fc.array(fc.boolean(), { minLength: issued.length, maxLength: issued.length }),
    ),
  )
  .map(([issued, originals, numbers]) =>
    issued.map(
      ([entity, ordinal, form], i): VaultEntry => ({
        surrogate: formatSurrogate(entity, ordinal, form),
        entity,
        original: new Phi(originals[i] ?? ''),
        ...(numbers[i] === true ? { number: true as const } : {}),
      }),
    ),
  );

test('T9 T10 wherever the text is cut, the restored text is the same', () => {
  const input = vault.chain((entries) =>
    fc.tuple(
      fc.constant(entries),
      fc.array(
        fc.oneof(
          fc.constantFrom(...entries.map((entry) => entry.surrogate)),
          fc.constantFrom(...entries.map((entry) => entry.surrogate.toLowerCase().replace('_', '\\_'))),
          fc.constantFrom(...entries.map((entry) => `"${entry.surrogate}"`)),
          fc.constantFrom(...entries.map((entry) => entry.surrogate.slice(0, -1))),
          fc.string({ maxLength: 5 }),
          fc.constantFrom('\\', '"', '\\"', '_', 'N', 'NAME_'),
        ),
        { maxLength: 12 },
      ),
      fc.array(fc.nat({ max: 60 }), { maxLength: 20 }),
      fc.constantFrom('text' as const, 'json' as const),
    ),
  );
  fc.assert(
    fc.property(input, ([entries, pieces, cuts, form]) => {
      const text = pieces.join('');
      const whole = createRestorer(new Vault(entries), form);
      const expected = whole.push(text).join('') + whole.end().join('');
      for (const sizes of [cuts, [1]]) {
        const restorer = createRestorer(new Vault(entries), form);
        let out = '';
        let at = 0;
        for (let i = 0; at < text.length; i++) {
          const size = sizes.length === 0 ? text.length : Math.max(1, sizes[i % sizes.length] ?? 1);
          out += restorer.push(text.slice(at, at + size)).join('');
          at += size;
        }
        out += restorer.end().join('');
        expect(out).toBe(expected);
        expect(restorer.held).toBe(0);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('T11 what is held back is never longer than a surrogate and its escapes', () => {
  fc.assert(
    fc.property(vault, fc.array(fc.string(), { maxLength: 8 }), (entries, chunks) => {
      const restorer = createRestorer(new Vault(entries), 'text');
      const longest = Math.max(...entries.map((entry) => entry.surrogate.length));
      for (const chunk of chunks) {
        restorer.push(chunk);
        expect(restorer.held).toBeLessThan(longest + 20);
      }
    }),
  );
});

test('T4 no surrogate is a prefix of another, also under case folding', () => {
  fc.assert(
    fc.property(surrogate, surrogate, (a, b) => {
      const [one, two] = [formatSurrogate(...a).toLowerCase(), formatSurrogate(...b).toLowerCase()];
      fc.pre(one !== two);
      expect(one.startsWith(two)).toBe(false);
    }),
  );
});

test('T6 one wrong character or one swap of two characters never names another surrogate', () => {
  const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
  fc.assert(
    fc.property(surrogate, fc.nat(), fc.constantFrom(...ALPHABET.split('')), (parts, position, char) => {
      const issued = formatSurrogate(...parts);
      const underscore = issued.indexOf('_') + 1;
      const at = underscore + (position % (issued.length - underscore));
      const wrong = issued.slice(0, at) + char + issued.slice(at + 1);
      const swapped = issued.slice(0, at) + issued.slice(at + 1, at + 2) + issued.charAt(at) + issued.slice(at + 2);
      for (const changed of [wrong, swapped]) if (changed !== issued) expect(isValid(changed)).toBe(false);
    }),
    { numRuns: 3_000 },
  );
});

/** Whether the text is what formatSurrogate gives for some kind, ordinal and form. */
function isValid(text: string): boolean {
  const match = /^([A-Z]+)_(\d+)([a-z]+)\d\d$/.exec(text);
  if (match === null || match[2]?.startsWith('0') === true) return false;
  const form = (match[3] ?? '').split('').reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 96, 0) - 1;
  return ENTITIES.some((entity) => formatSurrogate(entity, Number(match[2]), form) === text);
}

test('every surrogate is found as a look-alike in any case', () => {
  fc.assert(
    fc.property(surrogate, fc.string({ unit: fc.constantFrom('x', ' ', '_', '1') }), (parts, around) => {
      const issued = formatSurrogate(...parts);
      for (const form of [issued, issued.toLowerCase(), issued.replace('_', '\\_')]) {
        const found: string[] = [];
        const text = `${around} ${form}${around}`;
        findLookalikes(text, (start, end) => found.push(text.slice(start, end)));
        expect(found.some((each) => each.endsWith(form) || each.startsWith(form))).toBe(true);
      }
    }),
  );
});
