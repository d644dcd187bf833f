import { hashWord, wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { FORM as FORMS } from '../form.ts';
import { ALL_CAPS, LOWER } from '../lexer.ts';
import {
  distance,
  endOf,
  flagsAt,
  formAt,
  lengthAt,
  gapBefore,
  isCapitalised,
  isInitial,
  labelAt,
  shapeAt,
  startOf,
  type View,
  wordAt,
  hashAt,
} from '../view.ts';

// Bound here: view.ts says why.
const [BIT, GAP, FORM] = [BITS, GAPS, FORMS];

const I = hashWord('i');

/** What words of a name look like. */

/** Bits that no first word of a name has, unless a surname stands behind it. */
export const NEVER =
  BIT.STOP | BIT.CLINICAL | BIT.MONTH | BIT.COUNTRY | BIT.STATE | BIT.HOLIDAY | BIT.CREDENTIAL | BIT.WEEKDAY;
export const HARD = BIT.COUNTRY | BIT.HOLIDAY | BIT.CREDENTIAL | BIT.WEEKDAY | BIT.TITLE;
export const ANY_NAME = BIT.GIVEN | BIT.SURNAME;

/** One space or hyphen between, or the period of an initial. */
export function joins(view: View, at: number): boolean {
  const gap = gapBefore(view, at);
  if (distance(view, at) > 2) return false;
  if (gap === GAP.SPACE || gap === GAP.HYPHEN) return true;
  return gap === (GAP.SPACE | GAP.PERIOD) && isInitial(view, at - 1);
}

/** `van der Berg`: particles up to a capitalised word. @returns its token, or 0 */
export function particleEnd(view: View, at: number): number {
  for (let i = at + 1; i <= at + 2; i++) {
    if (!joins(view, i)) return 0;
    if (isCapitalised(view, i) && canFollow(view, i)) return i;
    if ((flagsAt(view, i) & BIT.PARTICLE) === 0) return 0;
  }
  return 0;
}

/** Behind another name word an eponym or an ordinary word may be a surname: `Sarah Johnson`, `Karen White`. */
export function canFollow(view: View, at: number): boolean {
  if (isInitial(view, at)) return hashAt(view, at) !== I || gapBefore(view, at + 1) !== GAP.SPACE;
  const flags = nameFlagsAt(view, at);
  if (!isCapitalised(view, at) || (flags & HARD) !== 0) return false;
  // A label begins something else: `ROE, JANE MRN 123`.
  if (
    labelAt(view, at) !== 0 &&
    (flags & ANY_NAME & ~BIT.SURNAME) === 0 &&
    ((flags & BIT.SURNAME_TOP) === 0 || shapeAt(view, at) === ALL_CAPS)
  )
    return false;
  if ((flags & BIT.STREET) !== 0 && (flags & BIT.SURNAME_TOP) === 0) return false;
  if ((flags & NEVER) === 0) return true;
  const surname = (flags & NEVER) === BIT.CLINICAL ? BIT.SURNAME : BIT.SURNAME_TOP;
  return (flags & surname) !== 0 && (flagsAt(view, at + 1) & BIT.EPONYM_HEAD) === 0;
}

const DEGREES = wordSet('md dds phd dvm dmd do mba jd');
/** Degrees that no word of a sentence is, so that they count in lower case too. */
const PLAIN_DEGREES = wordSet('md dds phd dvm dmd');
const SUFFIXES = wordSet('jr sr ii iii iv');

/** `MD`, `PhD` without a comma behind a name: it reads as its last word. */
export function isDegree(view: View, at: number): boolean {
  if (gapBefore(view, at) !== GAP.SPACE) return false;
  const word = hashAt(view, at);
  return shapeAt(view, at) === LOWER
    ? PLAIN_DEGREES.has(word) && shapeAt(view, at - 1) === LOWER
    : DEGREES.has(word) && (isCapitalised(view, at) || PLAIN_DEGREES.has(word));
}

/** `Jr.`, `III` and degrees behind a name. @returns the last token of the name */
export function suffixEnd(view: View, last: number): number {
  let end = last;
  const gap = gapBefore(view, end + 1);
  const near = gap > 0 && (gap & ~(GAP.SPACE | GAP.COMMA)) === 0;
  if (near && SUFFIXES.has(hashAt(view, end + 1))) end++;
  return isDegree(view, end + 1) ? end + 1 : end;
}

/** What the lexicon knows of a word; one with diacritics (`Bašić`) is no English word, whatever it folds to. */
export function nameFlagsAt(view: View, at: number): number {
  const flags = flagsAt(view, at);
  return (flags & ENGLISH) === 0 || !isWide(view, at) ? flags : flags & ~ENGLISH;
}

const ENGLISH = BIT.COMMON | BIT.STOP | BIT.CLINICAL | BIT.PROPER;

/** Whether a word holds letters outside ASCII; above these come marks and scripts without case. */
export function isWide(view: View, at: number): boolean {
  if (at < view.from || at >= view.to || (formAt(view, at) & FORM.PLAIN) !== 0) return false;
  for (let i = startOf(view, at); i < endOf(view, at); i++) {
    const code = view.text.charCodeAt(i);
    if (code >= 0xc0 && code < 0x2000) return true;
  }
  return false;
}

/** The period of a last initial belongs to the name. */
export function endWithPeriod(view: View, last: number): number {
  const end = endOf(view, last);
  return isInitial(view, last) && view.text.charCodeAt(end) === 46 ? end + 1 : end;
}

/** Endings of drugs, diseases and their adjectives: an unknown word with one of them is no name. */
const CLINICAL_ENDING =
  /(?:itis|osis|ema|emas|monas|coccus|cocci|bacter|platin|micin|cept|parin|ciclib|rubicin|fenac|profen|barbital|dipine|thiazide|terol|sone|solone|tropin|gramin|relin|afil|prazole|conazole|dronate|semide|zosin|tadine|mine|emia|aemia|oma|omas|pathy|ectomy|ostomy|otomy|plasty|scopy|graphy|algia|uria|penia|philia|trophy|plasia|lysis|ing|al|ic|ia|ion|ment|ism|ity|ous|ive|mab|nib|statin|pril|sartan|olol|azole|cillin|mycin|vir|pine|pam|lam|zine|tide|gliptin|gliflozin|setron|triptan|oxacin|cycline|ate|ide|ium|ase|ose)$/;

export function endsClinically(view: View, at: number): boolean {
  const word = wordAt(view, at);
  // Letters with diacritics do not occur in English clinical words.
  if (!CLINICAL_ENDING.test(word)) return false;
  for (let i = startOf(view, at); i < endOf(view, at); i++) if (view.text.charCodeAt(i) > 127) return false;
  return !/(?:[vk]ic|eria|elia|aria)$/.test(word) || (flagsAt(view, at) & BIT.COMMON) !== 0;
}

/** Verbs and adverbs that a person is the subject of. */
export const PERSONAL = wordSet(
  'is was had has lives lived spent works worked went came said says who and will started',
);

/** A word that English does not have: no list holds it, or its letters are no English ones. */
export function isStrange(view: View, at: number): boolean {
  const flags = nameFlagsAt(view, at);
  return isWide(view, at) || ((flags & ~BIT.TOWN) === 0 && lengthAt(view, at) >= 5 && !endsClinically(view, at));
}
