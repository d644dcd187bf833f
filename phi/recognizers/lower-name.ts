import { hashWord, wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { LOWER } from '../lexer.ts';
import {
  beginsSentence,
  emit,
  endOf,
  flagsAt,
  gapBefore,
  hashAt,
  isWord,
  lengthAt,
  shapeAt,
  startOf,
  type View,
} from '../view.ts';
import { ADDRESSING, isListedBeside, isSpeaking } from './name-company.ts';
import { endsClinically, NEVER, PERSONAL, suffixEnd } from './name-shape.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

const DATE = hashWord('date');
const FOR = hashWord('for');
const S = hashWord('s');
const ME = wordSet('me him her');
const CALLING = wordSet('call calls called name named names');
const SAYING = wordSet('says said');
const SPEECH = wordSet('says said asked told shouted replied wrote answered');

/** Names of persons (A) in lower case, as in chats and dictation. */

/** A comma, a verb, the end: what stands behind a whole name. */
function endsClause(view: View, at: number): boolean {
  const gap = gapBefore(view, at);
  return (
    gap < 0 ||
    (gap & ~GAP.SPACE) !== 0 ||
    PERSONAL.has(hashAt(view, at)) ||
    hashAt(view, at) === DATE ||
    hashAt(view, at) === FOR
  );
}

/** `michael`, `anna jeremiassen`. Called for lower-case words that are given names. */
export function recognizeLowerName(view: View, at: number): number {
  const flags = flagsAt(view, at);
  if (shapeAt(view, at) !== LOWER || !isWord(view, at) || lengthAt(view, at) < 2) return at;
  if ((flags & (NEVER & ~BIT.CLINICAL)) === 0 && isSpokenOf(view, at)) return emitName(view, at, lastOf(view, at));
  if ((flags & (NEVER | BIT.CITY)) !== 0 || lengthAt(view, at) < 3) return at;
  const last = lastOf(view, at);
  if (last > at) return emitName(view, at, last);
  if ((flags & BIT.COMMON) !== 0) return at;
  const alone = (flags & BIT.GIVEN_TOP) !== 0 || lengthAt(view, at) >= 5;
  if (!alone || lengthAt(view, at) < 4 || (flagsAt(view, at + 1) & BIT.EPONYM_HEAD) !== 0) return at;
  return emitName(view, at, at);
}

function emitName(view: View, first: number, last: number): number {
  const end = suffixEnd(view, last);
  emit(view, 'name', [startOf(view, first), endOf(view, end)], end > first ? 0.65 : 0.6);
  return end;
}

/** The surname behind a given name, or the given name itself. */
function lastOf(view: View, at: number): number {
  const flags = flagsAt(view, at);
  const next = flagsAt(view, at + 1);
  if (gapBefore(view, at + 1) !== GAP.SPACE || !isWord(view, at + 1) || shapeAt(view, at + 1) !== LOWER) return at;
  if (lengthAt(view, at + 1) < 3 || (next & (BIT.STOP | BIT.CLINICAL)) !== 0) return at;
  const top = (flags & BIT.GIVEN_TOP) !== 0;
  if ((next & BIT.SURNAME) !== 0 && (next & BIT.COMMON) === 0) return (flags & BIT.COMMON) === 0 || top ? at + 1 : at;
  // `warren khadzhiyev`
  if ((flags & BIT.COMMON) !== 0)
    return top && (next & ~BIT.TOWN) === 0 && lengthAt(view, at + 1) >= 6 && !endsClinically(view, at + 1)
      ? at + 1
      : at;
  const common = (next & BIT.SURNAME_TOP) !== 0 && (next & BIT.TITLE) === 0 && top && endsClause(view, at + 2);
  const strange = (next & ~BIT.TOWN) === 0 && lengthAt(view, at + 1) >= 5;
  return common || strange ? at + 1 : at;
}

/** Whether what stands around says that a word, be it an ordinary one, is somebody: `call me owen`, `tyler is`, `ross, can i`, `anna and crystal`. */
function isSpokenOf(view: View, at: number): boolean {
  const before = hashAt(view, at - 1);
  if (ME.has(before) && CALLING.has(hashAt(view, at - 2)) && gapBefore(view, at) === GAP.SPACE) return true;
  if (isListedBeside(view, at) && isListEnd(view, at)) return true;
  if (isSpeaking(view, at)) return true;
  const given = flagsAt(view, at) & (BIT.GIVEN_TOP | BIT.COMMON);
  if (gapBefore(view, at + 1) === (GAP.COMMA | GAP.SPACE) && beginsSentence(view, at))
    return ADDRESSING.has(hashAt(view, at + 1));
  if (gapBefore(view, at + 1) !== GAP.SPACE || !PERSONAL.has(hashAt(view, at + 1)) || !beginsSentence(view, at))
    return false;
  return (given & BIT.COMMON) === 0;
}

function isListEnd(view: View, at: number): boolean {
  const gap = gapBefore(view, at + 1);
  return gap < 0 || (gap & ~GAP.SPACE) !== 0 || PERSONAL.has(hashAt(view, at + 1)) || PLURAL.has(hashAt(view, at + 1));
}

const PLURAL = wordSet('and were are had have both');

/** `flores`, `smith` in company: lower-case words that are surnames. Called for surnames that are no given name. */
export function recognizeLowerSurname(view: View, at: number): number {
  const flags = flagsAt(view, at);
  if (shapeAt(view, at) !== LOWER || !isWord(view, at) || (flags & (NEVER | BIT.CITY | BIT.TITLE)) !== 0) return at;
  const ordinary = (flags & BIT.COMMON) !== 0;
  if (isListedBeside(view, at) && isListEnd(view, at) && (!ordinary || (flags & BIT.SURNAME_TOP) !== 0))
    return emitName(view, at, at);
  if (ordinary || lengthAt(view, at) < 4 || endsClinically(view, at)) return at;
  const long = lengthAt(view, at) >= 6 && isAmongEnglish(view, at) && (flags & BIT.PROPER) === 0;
  return long || isQuoted(view, at) || isOwner(view, at) ? emitName(view, at, at) : at;
}

/** Whether the words on both sides are English ones: in another language a surname may be any word. */
function isAmongEnglish(view: View, at: number): boolean {
  return (
    isEnglish(view, at - 1) &&
    (gapBefore(view, at + 1) < 0 || (gapBefore(view, at + 1) & ~GAP.SPACE) !== 0 || isEnglish(view, at + 1))
  );
}

function isEnglish(view: View, at: number): boolean {
  return at < view.from || !isWord(view, at) || (flagsAt(view, at) & (BIT.COMMON | BIT.STOP)) !== 0;
}

/** `" says flores`: who said what was quoted. */
function isQuoted(view: View, at: number): boolean {
  return SAYING.has(hashAt(view, at - 1)) && (gapBefore(view, at - 1) & GAP.OPEN) !== 0;
}

/** `flores's`, `flores said`. */
function isOwner(view: View, at: number): boolean {
  if (hashAt(view, at + 1) === S && (gapBefore(view, at + 1) & GAP.APOSTROPHE) !== 0) return lengthAt(view, at) >= 5;
  return gapBefore(view, at + 1) === GAP.SPACE && SPEECH.has(hashAt(view, at + 1));
}
