import { expect, test } from 'vitest';
import { Phi } from '#contract/phi.ts';
import { createRestorer } from '#phi/restore.ts';
import { formatSurrogate } from '#phi/surrogate.ts';
import { Vault } from '#phi/vault.ts';

const entry = (ordinal: number, original: string) => ({
  surrogate: formatSurrogate('name', ordinal, 0),
  entity: 'name' as const,
  original: new Phi(original),
});
const NAME = formatSurrogate('name', 1, 0);

function restore(vault: Vault, text: string, form: 'text' | 'json' = 'text'): string {
  const restorer = createRestorer(vault, form);
  return restorer.push(text).join('') + restorer.end().join('');
}

test('T4 ordinals 1, 10 and 100 do not meet', () => {
  const vault = new Vault([entry(1, 'A'), entry(10, 'B'), entry(100, 'C')]);
  expect(restore(vault, [1, 10, 100].map((ordinal) => formatSurrogate('name', ordinal, 0)).join(' '))).toBe('A B C');
});

test('T4 a restored value is not looked at again', () => {
  const vault = new Vault([entry(1, formatSurrogate('name', 2, 0)), entry(2, 'secret')]);
  expect(restore(vault, NAME)).toBe(formatSurrogate('name', 2, 0));
});

test('T5 a response that ends within a surrogate ends with the fragment as it is', () => {
  const vault = new Vault([entry(1, 'Jane Roe')]);
  for (let cut = 1; cut < NAME.length; cut++)
    expect(restore(vault, `see ${NAME.slice(0, cut)}`)).toBe(`see ${NAME.slice(0, cut)}`);
});

test('T6 one wrong character is no surrogate, and values are written literally', () => {
  const vault = new Vault([entry(1, '\\1 $& $1 .*')]);
  expect(restore(vault, NAME)).toBe('\\1 $& $1 .*');
  for (let at = 5; at < NAME.length; at++) {
    const wrong = `${NAME.slice(0, at)}${NAME.charAt(at) === '7' ? '8' : '7'}${NAME.slice(at + 1)}`;
    expect(restore(vault, wrong)).toBe(wrong);
  }
});

test.each([
  ['Markdown escape', (name: string) => name.replace('_', '\\_')],
  ['lower case', (name: string) => name.toLowerCase()],
  ['capitalised', (name: string) => name.charAt(0) + name.slice(1).toLowerCase()],
  ['backticks', (name: string) => `\`${name}\``],
  ['bold', (name: string) => `**${name}**`],
  ['possessive', (name: string) => `${name}'s`],
])('T7 %s of a surrogate is restored', (_kind, write) => {
  const text = write(NAME);
  expect(restore(new Vault([entry(1, 'Jane Roe')]), text)).toContain('Jane Roe');
});

test.each([
  ['translated type', 'NOM_1a62'],
  ['line wrap', `${NAME.slice(0, 6)}\n${NAME.slice(6)}`],
  ['space', NAME.replace('_', ' ')],
  ['bracket', '[NAME]1a62'],
])('T7 %s stays literal', (_kind, text) => {
  expect(restore(new Vault([entry(1, 'Jane Roe')]), text)).toBe(text);
});

test('T19 in JSON form quotes, backslashes, newlines and lone surrogates keep the arguments valid', () => {
  for (const original of ['O"Brien', 'a\\b', 'line\nbreak', 'José 😀', '\ud800']) {
    const out = restore(new Vault([entry(1, original)]), `{"name":"${NAME}"}`, 'json');
    expect((JSON.parse(out) as { name: string }).name).toBe(original);
  }
});

test('a number gets its quotes taken away again, also inside a JSON string', () => {
  const number = { ...entry(1, '4471902'), number: true as const };
  const vault = new Vault([number]);
  expect(restore(vault, `{"mrn":"${NAME}"}`)).toBe('{"mrn":4471902}');
  expect(restore(vault, `{\\"mrn\\":\\"${NAME}\\"}`)).toBe('{\\"mrn\\":4471902}');
  expect(restore(vault, `say "${NAME} there"`)).toBe('say "4471902 there"');
});

test('T11 T13 only a possible beginning is held back', () => {
  const restorer = createRestorer(new Vault([entry(1, 'Jane Roe')]), 'text');
  expect(restorer.push('The patient N').join('')).toBe('The patient ');
  expect(restorer.held).toBe(1);
  expect(restorer.push('o').join('')).toBe('No');
  expect(restorer.held).toBe(0);
  expect(restorer.push(`${NAME} x`).join('')).toBe('Jane Roe x');
  expect(restorer.restored).toBe(1);
});

test('T16 a surrogate of another exchange is not restored', () => {
  expect(restore(new Vault([entry(2, 'Jane Roe')]), NAME)).toBe(NAME);
});
