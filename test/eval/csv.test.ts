import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readCsv } from './csv.ts';

test('a row is read by the names of its columns', () => {
  expect(readCsv('id,note\r\n1,"a ""b"",\nc"\r\n2,\r\n')).toEqual([
    { id: '1', note: 'a "b",\nc' },
    { id: '2', note: '' },
  ]);
});

test('text that is no CSV is refused by its row', () => {
  expect(() => readCsv('id,note\n1,"open\n')).toThrow('row 2 is not CSV');
});

test('whatever is written in quotes is read as it was', () => {
  const rows = fc.array(
    fc.record({ id: fc.string(), note: fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a', ' ') }) }),
    { maxLength: 9 },
  );
  fc.assert(
    fc.property(rows, (given) => {
      const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
      const lines = given.map(({ id, note }) => `${quoted(id)},${quoted(note)}`);
      expect(readCsv(['id,note', ...lines].join('\n'))).toEqual(given);
    }),
  );
});
