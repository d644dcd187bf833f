import { hashWord, wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { ALL_CAPS, CAPITALISED, LOWER } from '../lexer.ts';
import {
  beginsSentence,
  endOf,
  flagsAt,
  gapBefore,
  hashAt,
  isCapitalised,
  isNumber,
  isWord,
  labelAt,
  lengthAt,
  shapeAt,
  startOf,
  type View,
} from '../view.ts';
import { isIntroduced } from './name-context.ts';
import { ANY_NAME, endsClinically, HARD, isWide, nameFlagsAt, NEVER, PERSONAL } from './name-shape.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

const AND = hashWord('and');
const GIVEN = hashWord('given');

/** Lone words that are names (A) by the company they keep: lists, verbs, what is said to them. */

const POSSESSIVES = wordSet('his her their');
const TOWARD = wordSet('at to');
const ADDRESSED = wordSet('shouted yelled screamed spoke talked said smiled waved looked whispered listened');
/** Verbs of two persons. */
const PLURAL = wordSet('were are had have met said agreed married both');

/** How sure a lone word, which may be an ordinary one too, is a name by what is said of it; 0 for not at all. */
export function scoreSpoken(view: View, at: number, flags: number): number {
  if ((flags & (BIT.STOP | BIT.TITLE | BIT.CREDENTIAL)) !== 0) return 0;
  if (isSpeaker(view, at, flags) || beginsPair(view, at, flags)) return 0.7;
  if (flags === 0 || (flags & BIT.GIVEN) !== 0) {
    const before = hashAt(view, at - 1);
    if (before === GIVEN && gapBefore(view, at + 1) === GAP.SPACE && POSSESSIVES.has(hashAt(view, at + 1))) return 0.6;
    if (TOWARD.has(before) && ADDRESSED.has(hashAt(view, at - 2)) && flags !== 0) return 0.6;
  }
  // `Anna, Maria and April`
  if ((flags & NEVER) === BIT.MONTH && (flags & BIT.GIVEN_TOP) !== 0 && endsClause(view, at))
    return isListedBeside(view, at) ? 0.6 : 0;
  const eponym = (flags & NEVER) === BIT.CLINICAL && (flags & (BIT.SURNAME_TOP | BIT.GIVEN)) !== 0;
  return eponym && (isListedBeside(view, at) || isIntroduced(view, at)) ? 0.6 : 0;
}

function endsClause(view: View, at: number): boolean {
  const gap = gapBefore(view, at + 1);
  return gap < 0 || (gap & (GAP.COMMA | GAP.PERIOD | GAP.END)) !== 0;
}

/** `Kovalev: "Who are you?"` at a line's beginning: who speaks in a transcript. */
function isSpeaker(view: View, at: number, flags: number): boolean {
  if (labelAt(view, at) !== 0 || ((flags & (BIT.COMMON | NEVER)) !== 0 && (flags & BIT.GIVEN) === 0)) return false;
  if (isSpeaking(view, at)) return true;
  const end = endOf(view, at);
  const listed = (flags & BIT.COMMON) === 0 ? BIT.GIVEN : BIT.GIVEN_TOP;
  // `Victor: What a day.`, but no heading (`Lungs: Clear`).
  return (
    (at === view.from || (gapBefore(view, at) & GAP.NEWLINE) !== 0) &&
    ((flags & listed) !== 0 || (isWide(view, at) && flags === 0)) &&
    shapeAt(view, at) === CAPITALISED &&
    /^: [A-Z¿¡]/.test(view.text.slice(end, end + 3))
  );
}

/** Whether a colon and a quotation mark stand behind a word that begins a line. */
export function isSpeaking(view: View, at: number): boolean {
  if (at > view.from && (gapBefore(view, at) & GAP.NEWLINE) === 0) return false;
  const end = endOf(view, at);
  return view.text.charCodeAt(end) === 58 && /^: ?\\*["“]/.test(view.text.slice(end, end + 5));
}

/** `Sousa and Bell were`: two persons that a sentence begins with. */
function beginsPair(view: View, at: number, flags: number): boolean {
  if (hashAt(view, at + 1) !== AND || !beginsSentence(view, at) || (flags & NEVER) !== 0) return false;
  if ((flags & BIT.COMMON) !== 0 && (flags & (BIT.SURNAME_TOP | BIT.GIVEN_TOP)) === 0) return false;
  const other = nameFlagsAt(view, at + 2);
  return (
    isCapitalised(view, at + 2) &&
    (other & ANY_NAME) !== 0 &&
    (other & (BIT.STOP | HARD)) === 0 &&
    gapBefore(view, at + 2) === GAP.SPACE &&
    gapBefore(view, at + 3) === GAP.SPACE &&
    PLURAL.has(hashAt(view, at + 3)) &&
    (flags & ~(BIT.PROPER | BIT.COMMON)) !== 0
  );
}

/** A given name that is a word too (`Colleen`, `Mark`): in the middle of a sentence, or before a verb that persons have. */
export function isPersonHere(view: View, at: number): boolean {
  if (shapeAt(view, at) === ALL_CAPS || isCapitalised(view, at + 1)) return false;
  const verb = PERSONAL.has(hashAt(view, at + 1)) && gapBefore(view, at + 1) === GAP.SPACE;
  return (
    verb ||
    (shapeAt(view, at - 1) === LOWER && isWord(view, at - 1) && (gapBefore(view, at) & ~(GAP.SPACE | GAP.COMMA)) === 0)
  );
}

/** A capitalised word that no list holds, where a sentence speaks of somebody. */
export function scoreUnlisted(view: View, at: number): number {
  const flags = nameFlagsAt(view, at);
  if (
    (flags & (BIT.PROPER | BIT.FACILITY_NAME)) !== 0 ||
    lengthAt(view, at) < 4 ||
    shapeAt(view, at) === ALL_CAPS ||
    endsClinically(view, at)
  )
    return 0;
  // `Brandex 50 mg`, `prescribed Brandex`
  if (
    (isNumber(view, at + 1) && gapBefore(view, at + 1) === GAP.SPACE) ||
    (MEDICATING.has(hashAt(view, at - 1)) && !isWide(view, at))
  )
    return 0;
  if (PERSONAL.has(hashAt(view, at + 1)) && gapBefore(view, at + 1) === GAP.SPACE) return 0.5;
  // `Dariusz, can I ask you`
  if (gapBefore(view, at + 1) === (GAP.COMMA | GAP.SPACE) && ADDRESSING.has(hashAt(view, at + 1))) return 0.5;
  // `founders: Kovalev`, but no heading (`Lungs: Clear`).
  const colon = shapeAt(view, at - 1) === LOWER ? GAP.COLON : 0;
  if (beginsSentence(view, at) || (gapBefore(view, at) & ~(GAP.SPACE | GAP.COMMA | colon)) !== 0) return 0;
  return (flags & BIT.SURNAME) !== 0 || shapeAt(view, at) === CAPITALISED ? 0.45 : 0;
}

/** What is said to somebody behind a name. */
export const ADDRESSING = wordSet('can could may please will would i you thank thanks how');

/** Words that stand before a drug or a substance. */
const MEDICATING = wordSet(
  'prescribed prescribe taking takes take took continue continued continues start started starting on of with using uses receive received receiving given give tried stop stopped increase decrease add added via vs versus',
);

/** `Kovalev, Lee and Phillips`: beside a name, in a list. */
export function isInList(view: View, at: number): boolean {
  const before = gapBefore(view, at);
  if (isListedBeside(view, at)) return true;
  const next = hashAt(view, at + 1) === AND ? at + 2 : at + 1;
  const joined =
    next === at + 2 ? gapBefore(view, at + 1) === GAP.SPACE : gapBefore(view, next) === (GAP.COMMA | GAP.SPACE);
  if (!joined || before < 0 || !isCapitalised(view, next)) return false;
  return (
    (flagsAt(view, next) & ANY_NAME) !== 0 &&
    (flagsAt(view, next) & (NEVER | BIT.COMMON)) === 0 &&
    lengthAt(view, next) > 2
  );
}

/** Whether a name was found just before, with a comma or `and` between. */
export function isListedBeside(view: View, at: number): boolean {
  const newest = view.found.at(-1);
  return (
    newest?.entity === 'name' &&
    startOf(view, at) - newest.end <= 6 &&
    /^(?:, ?| and | & |, ?and | or )$/.test(view.text.slice(newest.end, startOf(view, at)))
  );
}
