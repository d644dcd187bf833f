import type { Entity } from '#contract/entity.ts';
import { GAP as GAPS } from '../character.ts';
import { passesLuhn, passesMod97 } from '../digits.ts';
import { LABEL as LABELS } from '../words/labels.ts';
import {
  distance,
  emit,
  endOf,
  gapBefore,
  isMixed,
  isNumber,
  isWord,
  labelAt,
  lengthAt,
  shapeAt,
  startOf,
  type View,
  wordAt,
} from '../view.ts';
import { ALL_CAPS } from '../lexer.ts';
import { labelBefore } from './number.ts';

// Bound here: view.ts says why.
const [GAP, LABEL] = [GAPS, LABELS];

/** Codes known by their shape or check digit: VIN, MBI, DEA, NPI, IBAN, UUID, and letters with a long number. */

export function recognizeCode(view: View, at: number): number {
  if (distance(view, at) === 0) return at;
  if (isMixed(view, at)) return iban(view, at) || uuid(view, at) || fixedShape(view, at) || at;
  if (isNumber(view, at)) return uuid(view, at) || npi(view, at) || longNumber(view, at);
  return uuid(view, at) || letteredNumber(view, at);
}

/** ISO 13616: two letters, two check digits, up to 30 letters and digits, perhaps in groups of four. */
function iban(view: View, at: number): number {
  if (lengthAt(view, at) < 4) return 0;
  const head = wordAt(view, at);
  if (!/^[a-z]{2}\d\d/.test(head)) return 0;
  let text = head;
  let last = at;
  if (text.length >= 15 && passesMod97(text)) return take(view, 'account', [at, last], 0.98);
  while (
    text.length < 34 &&
    lengthAt(view, last + 1) > 0 &&
    lengthAt(view, last + 1) <= 4 &&
    distance(view, last + 1) === 1
  ) {
    text += wordAt(view, ++last);
    if (text.length >= 15 && passesMod97(text)) return take(view, 'account', [at, last], 0.98);
  }
  return 0;
}

function take(view: View, entity: Entity, [first, last]: readonly [number, number], score: number): number {
  emit(view, entity, [startOf(view, first), endOf(view, last)], score);
  return last;
}

/** RFC 9562 §4: 8-4-4-4-12 hexadecimal digits. */
function uuid(view: View, at: number): number {
  if (lengthAt(view, at) !== 8 || lengthAt(view, at + 4) !== 12) return 0;
  for (let i = at; i <= at + 4; i++) {
    if (i > at && (separatorIsNotHyphen(view, i) || (i < at + 4 && lengthAt(view, i) !== 4))) return 0;
    if (!/^[0-9a-f]+$/.test(wordAt(view, i))) return 0;
  }
  return take(view, 'other', [at, at + 4], 0.9);
}

function separatorIsNotHyphen(view: View, at: number): boolean {
  return gapBefore(view, at) !== GAP.HYPHEN || distance(view, at) !== 1;
}

/** The shortest piece of any such code. */
const MIN_SHAPE = 4;

function fixedShape(view: View, at: number): number {
  if (lengthAt(view, at) < MIN_SHAPE) return 0;
  const text = wordAt(view, at);
  if (text.length === 17 && passesVin(text)) return take(view, 'vehicle', [at, at], 0.9);
  if (text.length === 9 && passesDea(text)) return take(view, 'license', [at, at], 0.85);
  // MBI (CMS format): C A AN N A AN N A A N N without S L O I B Z.
  if (
    /^[1-9][ac-hjkmnp-rt-y][0-9ac-hjkmnp-rt-y]\d[ac-hjkmnp-rt-y][0-9ac-hjkmnp-rt-y]\d[ac-hjkmnp-rt-y]{2}\d\d$/.test(
      text,
    )
  )
    return take(view, 'health_plan', [at, at], 0.9);
  if (
    /^[1-9][ac-hjkmnp-rt-y][0-9ac-hjkmnp-rt-y]\d$/.test(text) &&
    lengthAt(view, at + 1) === 3 &&
    lengthAt(view, at + 2) === 4 &&
    !separatorIsNotHyphen(view, at + 1)
  ) {
    const whole = text + wordAt(view, at + 1) + wordAt(view, at + 2);
    if (/^.{4}[ac-y][0-9ac-y]\d[ac-y]{2}\d\d$/.test(whole)) return take(view, 'health_plan', [at, at + 2], 0.95);
  }
  if (/^[a-z]{1,4}\d{5,12}[a-z]?$/.test(text) && shapeAt(view, at) !== 0 && isNotPublicCode(view, at))
    return take(view, 'other', [at, at], 0.5);
  return 0;
}

/** ISO 3779 with the North American check digit (49 CFR 565.15). */
function passesVin(text: string): boolean {
  if (/[ioq]/.test(text) || !/[a-z]/.test(text)) return false;
  const values = '0123456789.abcdefgh..jklmn.p.r..stuvwxyz';
  const weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
  let sum = 0;
  for (let i = 0; i < 17; i++) sum += (values.indexOf(text.charAt(i)) % 10) * (weights[i] as number);
  const check = sum % 11;
  return text.charAt(8) === (check === 10 ? 'x' : String(check));
}

/** DEA registration: the seventh digit checks the six before. */
function passesDea(text: string): boolean {
  if (!/^[a-hj-mpr-ux][a-z9]\d{7}$/.test(text)) return false;
  const digit = (at: number): number => text.charCodeAt(at + 1) - 48;
  return (digit(1) + digit(3) + digit(5) + 2 * (digit(2) + digit(4) + digit(6))) % 10 === digit(7);
}

/** National Provider Identifier: Luhn over 80840 and the number (45 CFR 162.406). Only in context, one number in ten passes. */
function npi(view: View, at: number): number {
  if (lengthAt(view, at) !== 10 || labelBefore(view, at) !== LABEL.LICENSE) return 0;
  return passesLuhn(`80840${wordAt(view, at)}`) ? take(view, 'license', [at, at], 0.95) : 0;
}

/** A number of seven digits and more that no code system claims. */
function longNumber(view: View, at: number): number {
  if (lengthAt(view, at) < 7 || lengthAt(view, at) > 24 || !isNotPublicCode(view, at)) return at;
  const gap = gapBefore(view, at);
  if ((gap & (GAP.PERIOD | GAP.SLASH | GAP.HYPHEN)) !== 0 && distance(view, at) === 1) return at;
  return take(view, 'other', [at, at], 0.4);
}

/** `ST-998877`, `AB 123456` in capitals. */
function letteredNumber(view: View, at: number): number {
  if (!isWord(view, at) || (shapeAt(view, at) !== ALL_CAPS && shapeAt(view, at) !== 3) || lengthAt(view, at) > 4)
    return at;
  if (
    gapBefore(view, at + 1) !== GAP.HYPHEN ||
    distance(view, at + 1) !== 1 ||
    !isNumber(view, at + 1) ||
    lengthAt(view, at + 1) < 4
  )
    return at;
  if (!isNotPublicCode(view, at)) return at;
  let last = at + 1;
  while (
    last - at < 4 &&
    gapBefore(view, last + 1) === GAP.HYPHEN &&
    distance(view, last + 1) === 1 &&
    isNumber(view, last + 1)
  )
    last++;
  return take(view, 'other', [at, last], 0.5);
}

/** No code system stands close before, and the text is no trial or gene. */
function isNotPublicCode(view: View, at: number): boolean {
  for (let i = at; i >= at - 4 && i >= view.from; i--) if (labelAt(view, i) === LABEL.CODE_SYSTEM) return false;
  return !/^(?:nct|rs|cas|ec|gse|srr|pmc)\d*$/.test(wordAt(view, at));
}
