import { GAP as GAPS } from './character.ts';
import { distance, endOf, gapBefore, isNumber, lengthAt, startOf, type View, wordAt } from './view.ts';

// Bound here: view.ts says why.
const GAP = GAPS;

/** Groups of digits that stand together: telephone numbers, cards, social security numbers. */
export interface DigitRun {
  readonly first: number;
  readonly last: number;
  /** Digits of all groups. */
  readonly digits: string;
  /** Lengths of the groups. */
  readonly groups: readonly number[];
  /** `+` or `00` before. */
  readonly international: boolean;
  /** `[start, end)` with a leading `+` or parenthesis. */
  readonly start: number;
  readonly end: number;
}

const MAX_GROUPS = 9;
const JOINTS = GAP.SPACE | GAP.PERIOD | GAP.HYPHEN | GAP.OPEN | GAP.CLOSE | GAP.SLASH | GAP.OTHER;

/**
 * Collects the groups from a token on. Groups are at most three units apart and never over a line or a comma.
 * @param most how many groups are taken
 */
export function digitRun(view: View, at: number, most: number = MAX_GROUPS): DigitRun {
  let last = at;
  const groups = [lengthAt(view, at)];
  let digits = wordAt(view, at);
  let end = endOf(view, at);
  while (groups.length < most && joinsRun(view, last + 1)) {
    // `2668x44208`: the extension is glued to the last group.
    const group = isNumber(view, last + 1)
      ? wordAt(view, last + 1)
      : (/^(\d{3,4})x\d{1,6}$/.exec(wordAt(view, last + 1))?.[1] ?? '');
    if (group === '') break;
    last++;
    groups.push(group.length);
    digits += group;
    end = startOf(view, last) + group.length;
  }
  let start = startOf(view, at);
  const before = view.text.charCodeAt(start - 1);
  if (before === 40) start--;
  const international = view.text.charCodeAt(start - 1) === 43 && start > 0;
  if (international) start--;
  return { first: at, last, digits, groups, international, start, end };
}

/** Whether a token may be the next group of a run. */
export function joinsRun(view: View, at: number): boolean {
  const gap = gapBefore(view, at);
  const far = distance(view, at);
  if (gap < 0 || (gap & ~JOINTS) !== 0 || far > 3) return false;
  return (gap & GAP.PERIOD) === 0 || far === 1;
}

/** Whether the run's first token continues something: `A-12`, `x12`, `1.2`. */
export function isContinued(view: View, at: number): boolean {
  if (distance(view, at) !== 1) return false;
  const gap = gapBefore(view, at);
  return (
    (gap & (GAP.HYPHEN | GAP.PERIOD | GAP.UNDERSCORE)) !== 0 || ((gap & GAP.SLASH) !== 0 && isNumber(view, at - 1))
  );
}

/** Luhn (ISO/IEC 7812-1 annex B). */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** ISO 7064 MOD 97-10 as IBAN uses it (ISO 13616). @param iban folded, without spaces */
export function passesMod97(iban: string): boolean {
  const moved = iban.slice(4) + iban.slice(0, 4);
  let rest = 0;
  for (const char of moved) {
    const value = char >= 'a' ? char.charCodeAt(0) - 87 : Number(char);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}
