import type { Entity } from '#contract/entity.ts';
import { examineSites } from './examine.ts';
import { fold } from './view.ts';
import type { Vault } from './vault.ts';

/** Originals shorter than this are found in any text by chance. */
const MIN_LENGTH = 4;
/** Units of an original that find it in the index. */
const KEY = 4;

/** Identifiers that their shape or check digit proves; names and places are not among them. */
const PROVEN: ReadonlySet<Entity> = new Set<Entity>([
  'ssn',
  'phone',
  'fax',
  'email',
  'mrn',
  'health_plan',
  'account',
  'license',
  'vehicle',
  'device',
  'ip',
]);
const PROVEN_SCORE = 0.8;

/**
 * Whether text that must be forwarded byte for byte (thinking blocks) tells an identifier: an original of this vault, in any
 * case and with any punctuation, or an identifier that validates by itself. The exchange is then refused.
 * @param text as it would leave, at most a request body long
 */
export function containsOriginal(vault: Vault, text: string): boolean {
  return (
    containsAny(vault, text) ||
    findIdentifiers(text).some((found) => PROVEN.has(found.entity) && found.score >= PROVEN_SCORE)
  );
}

function containsAny(vault: Vault, text: string): boolean {
  const index = new Map<string, string[]>();
  for (const { original } of vault.entries()) {
    const value = normalise(original.reveal());
    if (value.length < MIN_LENGTH + 2 || fold(value) === '') continue;
    const key = value.slice(1, 1 + KEY);
    const list = index.get(key) ?? [];
    list.push(value);
    index.set(key, list);
  }
  if (index.size === 0) return false;
  const folded = normalise(text);
  for (let i = 0; i + KEY <= folded.length; i++) {
    const list = index.get(folded.slice(i, i + KEY));
    if (list?.some((value) => folded.startsWith(value, i - 1)) === true) return true;
  }
  return false;
}

/** Lower case, runs of anything but letters and digits as one space, a space at both ends: whole words are compared. */
function normalise(text: string): string {
  return ` ${text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()} `;
}

/** An identifier in text that cannot be replaced. */
export interface Identifier {
  /** `[start, end)` in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  readonly entity: Entity;
  readonly score: number;
}

/**
 * Finds identifiers in schema positions (property names, enumerations, constants), which have to stay as they are: what is
 * found there blocks.
 */
export function findIdentifiers(text: string): readonly Identifier[] {
  return examineSites([{ text, format: 'text', message: 0 }], 'whole').findings.map(
    ({ start, end, entity, score }) => ({ start, end, entity, score }),
  );
}
