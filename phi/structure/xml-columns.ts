import type { Entity } from '#contract/entity.ts';
import { fieldRule } from '../field.ts';
import { type FieldRule, PROSE } from '../segment.ts';

/** What the headers of an HTML or C-CDA table (`th` above `td`) say of its cells. */
export interface XmlColumns {
  /** An element was opened. */
  open(name: string): void;
  /** Takes a text node. @returns what the column says of it; PROSE outside of cells and under headers that say nothing */
  ruleOf(text: () => string, path: readonly string[]): FieldRule;
}

/** Columns that hold one person's data whatever the table is of; a column `name` may as well hold drugs, a date is found by itself. */
const TELLING: ReadonlySet<Entity> = new Set<Entity>([
  'name',
  'mrn',
  'ssn',
  'health_plan',
  'account',
  'license',
  'phone',
  'fax',
  'email',
  'device',
]);
const MAX_COLUMNS = 64;
const MAX_HEADER = 64;
const HEADERS: Readonly<Record<string, string>> = { patient: 'patientName', provider: 'providerName' };

export function createXmlColumns(): XmlColumns {
  let rules: FieldRule[] = [];
  let column = -1;
  return {
    open(name) {
      if (name === 'table') rules = [];
      if (name === 'table' || name === 'tr') column = -1;
      if (name === 'th' || name === 'td') column++;
    },
    ruleOf(text, path) {
      if (column < 0 || column >= MAX_COLUMNS) return PROSE;
      if (path.includes('td')) return rules[column] ?? PROSE;
      if (path.at(-1) === 'th') rules[column] = columnRule(text().trim().slice(0, MAX_HEADER));
      return PROSE;
    },
  };
}

function columnRule(header: string): FieldRule {
  const rule = fieldRule(HEADERS[header.toLowerCase()] ?? header);
  const tells = rule.whole !== undefined && TELLING.has(rule.whole) && header.toLowerCase() !== 'name';
  return tells ? rule : PROSE;
}
