import { expect, it } from 'vitest';
import { found } from '../found.ts';

const tableOf = (headers: readonly string[], cells: readonly string[]): string =>
  `<table><thead><tr>${headers.map((header) => `<th>${header}</th>`).join('')}</tr></thead>\n<tbody>\n<tr>${cells
    .map((cell) => `<td>${cell}</td>`)
    .join('\n')}</tr></tbody></table>`;

it('a cell of a C-CDA or HTML table is what the header of its column says', () => {
  expect(found(tableOf(['Patient', 'MRN', 'Result'], ['zorbal kwitem', 'A-77', '7.2']))).toEqual([
    'name: zorbal kwitem',
    'mrn: A-77',
  ]);
});

it('the text of an element inside a cell belongs to its column', () => {
  expect(found(tableOf(['MRN'], ['<content ID="a">A-77</content>']))).toEqual(['mrn: A-77']);
});

it('headers of one table say nothing of the next', () => {
  const [first, second] = [tableOf(['MRN'], ['A-77']), '<table><tr><td>A-78</td></tr></table>'];
  expect(found(`${first}${second}`)).toEqual(['mrn: A-77']);
});

it('columns of drugs, codes and results stay', () => {
  expect(found(tableOf(['Name', 'Code', 'Status'], ['Lisinopril', 'E11.9', 'active']))).toEqual([]);
});
