import { hashWord, wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { LABEL as LABELS } from '../words/labels.ts';
import {
  emit,
  endOf,
  flagsAt,
  gapBefore,
  hashAt,
  isMixed,
  isNumber,
  isWord,
  labelAt,
  startOf,
  type View,
} from '../view.ts';

// Bound here: view.ts says why.
const [BIT, GAP, LABEL] = [BITS, GAPS, LABELS];

/** Telephone numbers (D) and e-mail addresses (F) that are spelt out, as dictation and cautious people write them. */

const DOUBLE = wordSet('double triple');
const AT = hashWord('at');
const DOT = hashWord('dot');
const PUNCTUATION = wordSet('dot underscore dash hyphen');
const ENDINGS = wordSet('com org net edu gov mil info io co us uk ca de fr es eu health');
const MIN_DIGITS = 7;
const MAX_TOKENS = 24;
const BETWEEN = GAP.SPACE | GAP.COMMA | GAP.HYPHEN | GAP.NEWLINE | GAP.PERIOD;

/** `five five five, oh one four two`: seven digits or more in words, an area code before them or not. Called for digits in words. */
export function recognizeSpelledNumber(view: View, at: number): number {
  if (labelAt(view, at) !== LABEL.DIGIT) return at;
  let last = at - 1;
  let digits = 0;
  for (let i = at; i < at + MAX_TOKENS; i++) {
    if (i > at && (gapBefore(view, i) <= 0 || (gapBefore(view, i) & ~BETWEEN) !== 0)) break;
    if (labelAt(view, i) === LABEL.DIGIT) {
      digits++;
      last = i;
    } else if (!DOUBLE.has(hashAt(view, i))) break;
    else digits++;
  }
  if (digits < MIN_DIGITS) return at;
  emit(view, 'phone', [startOf(view, at), endOf(view, last)], 0.8);
  return last;
}

/** `maria dot gonzalez at example dot org`, `maria [at] example [dot] org`. Called for `dot`. */
export function recognizeSpelledEmail(view: View, at: number): number {
  if (hashAt(view, at) !== DOT || !ENDINGS.has(hashAt(view, at + 1)) || !isJoined(view, at + 1)) return at;
  // `look at the dot com era`
  if ((flagsAt(view, at - 1) & BIT.STOP) !== 0) return at;
  let first = at;
  let user = false;
  for (let i = at - 1; i >= at - MAX_TOKENS && i >= view.from; i--) {
    if (!isJoined(view, i + 1)) break;
    if (hashAt(view, i) === AT) {
      if (user) break;
      user = true;
      continue;
    }
    const joins =
      PUNCTUATION.has(hashAt(view, i + 1)) || hashAt(view, i + 1) === AT || PUNCTUATION.has(hashAt(view, i));
    if (!joins || !(isWord(view, i) || isNumber(view, i) || isMixed(view, i))) break;
    first = i;
  }
  if (!user || first >= at - 1 || hashAt(view, first) === AT) return at;
  let last = at + 1;
  while (hashAt(view, last + 1) === DOT && ENDINGS.has(hashAt(view, last + 2)) && isJoined(view, last + 1)) last += 2;
  emit(view, 'email', [startOf(view, first), endOf(view, last)], 0.9);
  return last;
}

function isJoined(view: View, at: number): boolean {
  const gap = gapBefore(view, at);
  return gap > 0 && (gap & ~(GAP.SPACE | GAP.OPEN | GAP.CLOSE)) === 0;
}
