import { ENTITIES, type Entity } from '#contract/entity.ts';

/**
 * A surrogate reads `NAME_12b53`: kind, ordinal of the person or thing, letters for the written form, two check digits.
 * None is a prefix of another, also under case folding, because only the check is digits after letters and it is always two.
 * Nothing of it is derived from the value (45 CFR 164.514(c)(1)).
 */
const PREFIX: Readonly<Record<Entity, string>> = {
  name: 'NAME',
  location: 'PLACE',
  facility: 'FACILITY',
  date: 'DATE',
  age: 'AGE',
  phone: 'PHONE',
  fax: 'FAX',
  email: 'EMAIL',
  ssn: 'SSN',
  mrn: 'MRN',
  health_plan: 'PLAN',
  account: 'ACCT',
  license: 'LICENSE',
  vehicle: 'VEHICLE',
  device: 'DEVICE',
  url: 'URL',
  ip: 'IP',
  biometric: 'BIOMETRIC',
  image: 'IMAGE',
  other: 'CODE',
};

const PREFIXES: ReadonlyMap<string, Entity> = new Map(ENTITIES.map((entity) => [PREFIX[entity].toLowerCase(), entity]));

/** Place of each entity in the list, from 1. */
const ORDINALS = Object.fromEntries(ENTITIES.map((entity, at) => [entity, at + 1])) as Record<Entity, number>;

/** Surrogates of the first things of an entity in their first form: most prompts need no others. They say nothing of any value. */
const USUAL = 64;
const usual = Object.fromEntries(ENTITIES.map((entity) => [entity, [] as string[]])) as Record<Entity, string[]>;

const MAX_PREFIX = 9;
const MAX_DIGITS = 8;
const MAX_LETTERS = 5;

/** @param ordinal of the person or thing, from 1. @param form ordinal of the written form, from 0. */
export function formatSurrogate(entity: Entity, ordinal: number, form: number): string {
  if (form > 0 || ordinal > USUAL) return writeSurrogate(entity, ordinal, form);
  const made = usual[entity];
  while (made.length < ordinal) made.push(writeSurrogate(entity, made.length + 1, 0));
  return made[ordinal - 1] as string;
}

function writeSurrogate(entity: Entity, ordinal: number, form: number): string {
  const body = `${ordinal}${formLetters(form)}`;
  return `${PREFIX[entity]}_${body}${check(entity, body)}`;
}

/** 0 -> a, 25 -> z, 26 -> aa. */
function formLetters(form: number): string {
  if (form < 26) return String.fromCharCode(97 + form);
  let text = '';
  for (let rest = form + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    text = String.fromCharCode(97 + ((rest - 1) % 26)) + text;
  }
  return text;
}

/**
 * Σ vᵢ·5ⁱ mod 97. 97 is prime and larger than any symbol (0-9, a-z) and 5 generates its group, so that each single wrong
 * character and each swap of two characters changes the sum.
 */
function check(entity: Entity, body: string): string {
  let weight = 5;
  let sum = ORDINALS[entity];
  for (let i = 0; i < body.length; i++) {
    sum = (sum + symbolValue(body.charCodeAt(i)) * weight) % 97;
    weight = (weight * 5) % 97;
  }
  return sum < 10 ? `0${sum}` : `${sum}`;
}

function symbolValue(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}

/**
 * Finds text that has a surrogate's shape in any case, also with the underscore escaped as Markdown does, right check or not.
 * Such text in an input is never ours and must not survive, or it would be restored to somebody's value.
 * @param found is called with `[start, end)` in UTF-16 units, left to right, without overlap
 */
export function findLookalikes(text: string, found: (start: number, end: number) => void): void {
  let from = 0;
  for (let at = text.indexOf('_'); at >= 0; at = text.indexOf('_', at + 1)) {
    const end = bodyEnd(text, at + 1);
    if (end < 0) continue;
    const start = prefixStart(text, at);
    if (start < from || start < 0) continue;
    found(start, end);
    from = end;
  }
}

function bodyEnd(text: string, at: number): number {
  let i = at;
  while (i - at < MAX_DIGITS && isDigit(text.charCodeAt(i))) i++;
  if (i === at) return -1;
  const letters = i;
  while (i - letters < MAX_LETTERS && isLetter(text.charCodeAt(i))) i++;
  return i > letters && isDigit(text.charCodeAt(i)) && isDigit(text.charCodeAt(i + 1)) ? i + 2 : -1;
}

function prefixStart(text: string, underscore: number): number {
  let end = underscore;
  while (underscore - end < 2 && text.charCodeAt(end - 1) === 92) end--;
  let start = end;
  while (end - start < MAX_PREFIX && isLetter(text.charCodeAt(start - 1))) start--;
  const letters = text.slice(start, end).toLowerCase();
  for (let i = 0; i < letters.length - 1; i++) if (PREFIXES.has(letters.slice(i))) return start + i;
  return -1;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isLetter(code: number): boolean {
  return (code | 32) >= 97 && (code | 32) <= 122;
}
