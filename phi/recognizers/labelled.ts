import { wordSet } from '../word-hash.ts';
import type { Entity } from '#contract/entity.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { digitRun, joinsRun } from '../digits.ts';
import { FORM as FORMS } from '../form.ts';
import { LABEL as LABELS, LABEL_ENTITY } from '../words/labels.ts';
import {
  distance,
  emit,
  endOf,
  flagsAt,
  formAt,
  gapBefore,
  isMixed,
  isNumber,
  isWord,
  kindAt,
  labelAt,
  lengthAt,
  numberAt,
  shapeAt,
  startOf,
  type View,
  hashAt,
  wordAt,
} from '../view.ts';
import { ALL_CAPS, INITIAL, NUMBER } from '../lexer.ts';

// Bound here: view.ts says why.
const [BIT, GAP, LABEL, FORM] = [BITS, GAPS, LABELS, FORMS];

const NUMBER_WORDS = wordSet('number no nos num nbr id ids identifier ending');
const LINKS = wordSet('is was as the his her their my a for pt patient patients s');

/**
 * Numbers known by the label before or behind them: record, plan, account, licence, vehicle, device and other numbers
 * (H to M, R). No shape of their own is required, because no two sites number alike.
 */

/** Words that may stand between a label and its value. */
const MAX_WORDS_BETWEEN = 4;
const MAX_PARTS = 6;

export function recognizeLabelled(view: View, at: number): number {
  const named = LABEL_ENTITY[labelAt(view, at)];
  if (named === undefined || named[0] === 'phone' || named[0] === 'fax') return at;
  const [entity, alone] = named;
  let strong = alone;
  let next = at + 1;
  for (let steps = 0; steps < MAX_WORDS_BETWEEN && next < view.to; steps++, next++) {
    const gap = gapBefore(view, next);
    if ((gap & (GAP.END | GAP.CLOSE)) !== 0 && (gap & GAP.COLON) === 0 && steps > 0) break;
    if ((gap & GAP.NEWLINE) !== 0 && !(isValueStart(view, next) && (gap & GAP.COLON) !== 0)) break;
    if ((gap & (GAP.HASH | GAP.COLON)) !== 0) strong = true;
    if (isValueStart(view, next)) return takeValue(view, next, { entity, strong });
    if (labelAt(view, next) === LABEL.CODE_SYSTEM) return at;
    const filler = (flagsAt(view, next) & BIT.FILLER) !== 0;
    if (filler && NUMBER_WORDS.has(hashAt(view, next))) strong = true;
    if (!filler && labelAt(view, next) === 0) break;
    if (
      LABEL_ENTITY[labelAt(view, next)] !== undefined &&
      labelAt(view, next) !== LABEL.WEAK_OTHER &&
      labelAt(view, next) !== labelAt(view, at)
    ) {
      return next - 1;
    }
  }
  return at;
}

/** A number, a token with digits, or upper-case letters that a hyphen joins to digits. */
function isValueStart(view: View, at: number): boolean {
  if (isNumber(view, at) || isMixed(view, at)) return true;
  if (!isWord(view, at) || lengthAt(view, at) > 5) return false;
  const shape = shapeAt(view, at);
  const joined =
    distance(view, at + 1) === 1 && (gapBefore(view, at + 1) & (GAP.HYPHEN | GAP.UNDERSCORE | GAP.SLASH)) !== 0;
  return joined && (isNumber(view, at + 1) || isMixed(view, at + 1)) && (shape === ALL_CAPS || shape === INITIAL);
}

interface Expected {
  readonly entity: Entity;
  readonly strong: boolean;
}

function takeValue(view: View, at: number, { entity, strong }: Expected): number {
  let last = at;
  if (isNumber(view, at) && strong && joinsRun(view, at + 1)) {
    const run = digitRun(view, at);
    if (run.digits.length >= 7 && run.digits.length <= 20) last = run.last;
  }
  while (last - at < MAX_PARTS && isPart(view, last + 1)) last++;
  const digits = last === at && isDigits(view, at) ? lengthAt(view, at) : countDigits(view, at, last);
  if (digits < (strong ? 3 : 5) || isMeasure(view, at, last)) return at - 1;
  if (!strong && kindAt(view, at) === 2 && last === at && digits < 6) return at - 1;
  const hash = view.text.charCodeAt(startOf(view, at) - 1) === 35 ? 1 : 0;
  emit(view, entity, [startOf(view, at) - hash, endOf(view, last)], strong ? 0.92 : 0.75);
  return last;
}

/** Joined to the token before by one hyphen, slash, dot or underscore, or by a space between groups of digits after a strong label. */
function isPart(view: View, at: number): boolean {
  if (distance(view, at) > 1) return false;
  if (distance(view, at) === 0) return true;
  const gap = gapBefore(view, at);
  if ((gap & ~(GAP.HYPHEN | GAP.UNDERSCORE | GAP.SLASH | GAP.PERIOD)) !== 0) return false;
  if (isNumber(view, at) || isMixed(view, at)) return true;
  // A group of a UUID may be letters alone.
  return isWord(view, at) && lengthAt(view, at) <= 5 && (shapeAt(view, at) !== 0 || isHexGroup(view, at));
}

function isHexGroup(view: View, at: number): boolean {
  return lengthAt(view, at) === 4 && gapBefore(view, at) === GAP.HYPHEN && /^[0-9a-f]+$/.test(wordAt(view, at));
}

/** Whether a token is ASCII digits and nothing else. */
function isDigits(view: View, at: number): boolean {
  return (formAt(view, at) & (FORM.KIND | FORM.PLAIN)) === (NUMBER | FORM.PLAIN);
}

function countDigits(view: View, at: number, last: number): number {
  return textOf(view, at, last).replaceAll(/\D/g, '').length;
}

function textOf(view: View, at: number, last: number): string {
  return view.text.slice(startOf(view, at), endOf(view, last));
}

/** A year, a dose, a ratio: a number that a clinician reads. */
function isMeasure(view: View, at: number, last: number): boolean {
  if ((flagsAt(view, last + 1) & BIT.UNIT) !== 0 && (gapBefore(view, last + 1) & ~(GAP.SPACE | GAP.HYPHEN)) === 0)
    return true;
  if (view.text.charCodeAt(endOf(view, last)) === PERCENT) return true;
  if (at < last) return RATIO.test(textOf(view, at, last));
  const year = lengthAt(view, at) === 4 && isDigits(view, at) ? numberAt(view, at) : 0;
  return year >= 1900 && year < 2100;
}

const PERCENT = 37;
/** `1.2`, `3/4`, `3/4/21` */
const RATIO = /^(?:\d{1,3}\.\d{1,3}|\d{1,2}\/\d{1,2}(?:\/\d{2,4})?)$/;

/** `4471902 is his MRN`: the label stands behind. */
export function recognizeValueBeforeLabel(view: View, at: number): number {
  const label = labelAt(view, at);
  if (label !== LABEL.MRN && label !== LABEL.SSN && label !== LABEL.PLAN) return at;
  const entity = LABEL_ENTITY[label]?.[0];
  for (let i = at - 1; i >= at - 4 && i >= view.from; i--) {
    if ((gapBefore(view, i + 1) & (GAP.PERIOD | GAP.NEWLINE | GAP.END | GAP.COMMA)) !== 0) break;
    if (isNumber(view, i) && lengthAt(view, i) >= 5 && entity !== undefined) {
      emit(view, entity, [startOf(view, i), endOf(view, i)], 0.7);
      break;
    }
    if (!LINKS.has(hashAt(view, i))) break;
  }
  return at;
}
