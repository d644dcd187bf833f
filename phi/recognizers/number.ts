import { hashWord, wordSet } from '../word-hash.ts';
import type { Entity } from '#contract/entity.ts';
import { digitRun, type DigitRun, joinsRun, isContinued, passesLuhn } from '../digits.ts';
import { LABEL as LABELS } from '../words/labels.ts';
import { GAP as GAPS } from '../character.ts';
import {
  lengthAt,
  distance,
  emit,
  gapBefore,
  isMixed,
  isNumber,
  isWord,
  labelAt,
  startOf,
  endOf,
  type View,
  wordAt,
  hashAt,
} from '../view.ts';

// Bound here: view.ts says why.
const [LABEL, GAP] = [LABELS, GAPS];

const OFFICE = hashWord('office');
const VERSIONS = wordSet('v version ver section ec');
const EXTENSIONS = wordSet('x ext extension');
const DESK = hashWord('desk');

/** Numbers known by their shape: telephone (D), fax (E), social security (G), cards (J), IPv4 (O). */

/** Words looked at before a number for its label. */
const REACH = 5;

export function recognizeNumber(view: View, at: number): number {
  if (isContinued(view, at) || (isMixed(view, at - 1) && distance(view, at) === 0)) return at;
  if (!isLongEnough(view, at)) return at;
  const whole = digitRun(view, at);
  // `217-555-0142 217-555-0143`: where the run as a whole is nothing, a number may end at a space in it.
  for (let groups = whole.groups.length; groups > 0; groups--) {
    if (groups < whole.groups.length && gapBefore(view, at + groups) !== GAP.SPACE) continue;
    const run = groups === whole.groups.length ? whole : digitRun(view, at, groups);
    const found = ipv4(view, run) ?? ssn(view, run) ?? card(run) ?? phone(view, run);
    if (found === undefined) continue;
    const [entity, score, last] = found;
    const end = last === run.last ? run.end : endOf(view, last);
    const isPhone = entity === 'phone' || entity === 'fax';
    emit(view, entity, [run.start, isPhone ? extensionEnd(view, last, end) : end], score);
    return last;
  }
  return at;
}

/** Whether the groups from a token on can be anything at all: most numbers of a note cannot, and need no closer look. */
function isLongEnough(view: View, at: number): boolean {
  let digits = lengthAt(view, at);
  for (let last = at + 1; digits < MIN_PHONE; last++) {
    if (isWord(view, last) || !joinsRun(view, last)) return last - at >= 4;
    digits += lengthAt(view, last);
  }
  return true;
}

type Found = readonly [entity: Entity, score: number, last: number] | undefined;

function ipv4(view: View, run: DigitRun): Found {
  if (run.groups.length !== 4 || run.groups.some((length) => length > 3)) return undefined;
  for (let i = run.first; i <= run.last; i++) {
    if (Number(wordAt(view, i)) > 255) return undefined;
    if (i > run.first && view.text.charCodeAt(startOf(view, i) - 1) !== 46) return undefined;
  }
  if (VERSIONS.has(hashAt(view, run.first - 1))) return undefined;
  return ['ip', 0.9, run.last];
}

/** 3-2-4; a failed check never vetoes, since test and old numbers are identifiers too. */
function ssn(view: View, run: DigitRun): Found {
  const [a, b, c] = run.groups;
  if (a !== 3 || b !== 2 || c !== 4 || run.groups.length !== 3) return undefined;
  if (view.text.charCodeAt(startOf(view, run.first + 1) - 1) === 47) return undefined;
  return ['ssn', 0.8, run.last];
}

/** Payment cards (ISO/IEC 7812): issuer range, length, Luhn. */
function card(run: DigitRun): Found {
  const length = run.digits.length;
  if (length < 12 || length > 19) return undefined;
  const grouped = run.groups.length > 1;
  if (
    grouped &&
    !run.groups.every((size, i) => size === 4 || (i === run.groups.length - 1 && size <= 4) || size === 6 || size === 5)
  )
    return undefined;
  const first = run.digits.charCodeAt(0) - 48;
  if (first < 2 || first > 6 || !passesLuhn(run.digits)) return undefined;
  return ['account', grouped ? 0.9 : 0.8, run.last];
}

/** `office`, `-Fax`, `mobile` behind a number. */
function isPhoneWord(view: View, at: number): boolean {
  const label = labelAt(view, at);
  return (
    (label === LABEL.PHONE || label === LABEL.FAX || hashAt(view, at) === OFFICE || hashAt(view, at) === DESK) &&
    distance(view, at) === 1
  );
}

/** The fewest digits that any form of a telephone number has; most numbers of a note have fewer (`128/92`). */
const MIN_PHONE = 6;

function phone(view: View, run: DigitRun): Found {
  if (run.digits.length < MIN_PHONE) return undefined;
  const label = labelBefore(view, run.first);
  if (label === LABEL.CODE_SYSTEM) return undefined;
  const entity: Entity =
    label === LABEL.FAX || (label === 0 && labelAt(view, run.last + 1) === LABEL.FAX) ? 'fax' : 'phone';
  const labelled =
    isPhoneWord(view, run.last + 1) ||
    label === LABEL.PHONE ||
    label === LABEL.FAX ||
    label === LABEL.WEAK_PHONE ||
    view.expects === 'phone' ||
    view.expects === 'fax';
  const length = run.digits.length;
  if (run.international && length >= 7 && length <= 16) return [entity, 0.85, run.last];
  const { groups } = run;
  if (isNational(groups, 0) || (groups[0] === 1 && isNational(groups, 1)))
    return [entity, labelled ? 0.95 : 0.8, run.last];
  if (length === 10 && labelled && run.groups.length === 1) return [entity, 0.8, run.last];
  if (groups[0] === 3 && isNational(groups, 1) && run.digits.startsWith('001')) return [entity, 0.8, run.last];
  if (labelled && groups.length === 2 && groups[0] === 3 && groups[1] === 4) return [entity, 0.75, run.last];
  if (labelled && run.groups.length >= 2 && length >= 6 && length <= 15) return [entity, 0.7, run.last];
  if (label === LABEL.PHONE && length >= 7 && length <= 15) return [entity, 0.7, run.last];
  const national = run.digits.startsWith('0') && run.groups.length >= 2 && length >= 9 && length <= 13;
  return national ? [entity, 0.6, run.last] : undefined;
}

/** Whether the groups of a run from one on are three, three and four digits. */
function isNational(groups: readonly number[], from: number): boolean {
  return groups.length === from + 3 && groups[from] === 3 && groups[from + 1] === 3 && groups[from + 2] === 4;
}

/** `x123`, `ext. 123`: belongs to the number. */
function extensionEnd(view: View, last: number, end: number): number {
  const glued = /^x\d{1,6}/.exec(view.text.slice(end, end + 7));
  if (glued !== null) return end + glued[0].length;
  const next = hashAt(view, last + 1);
  if (isMixed(view, last + 1) && /^x\d{1,6}$/.test(wordAt(view, last + 1)) && distance(view, last + 1) <= 1)
    return endOf(view, last + 1);
  if (EXTENSIONS.has(next) && /^\d{1,6}$/.test(wordAt(view, last + 2)) && distance(view, last + 2) <= 3)
    return endOf(view, last + 2);
  return end;
}

/** The nearest label word before a token on the same side of the sentence. */
export function labelBefore(view: View, at: number): number {
  for (let i = at - 1; i >= at - REACH && i >= view.from; i--) {
    const label = labelAt(view, i);
    // A label behind another number is that number's.
    if (isNumber(view, i) && i < at - 1 && label === 0) return 0;
    if (label !== 0 && label !== LABEL.WEAK_OTHER) return label;
  }
  return 0;
}
