import { hashWord } from '../word-hash.ts';
import { BIT } from '../bit.ts';
import { GAP } from '../character.ts';
import { LOWER } from '../lexer.ts';
import { hashAt, emit, endOf, flagsAt, gapBefore, isWord, lengthAt, shapeAt, startOf, type View } from '../view.ts';
import { NEVER, PERSONAL } from './name-shape.ts';

const DATE = hashWord('date');
const FOR = hashWord('for');

/** Names of persons (A) in lower case. */

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

/** `michael`, `anna jeremiassen`: lower case, as in chats and dictation. Called for lower-case words that are given names. */
export function recognizeLowerName(view: View, at: number): number {
  const flags = flagsAt(view, at);
  if (shapeAt(view, at) !== LOWER || !isWord(view, at) || (flags & (NEVER | BIT.CITY)) !== 0 || lengthAt(view, at) < 3)
    return at;
  const next = flagsAt(view, at + 1);
  const pair =
    gapBefore(view, at + 1) === GAP.SPACE &&
    isWord(view, at + 1) &&
    shapeAt(view, at + 1) === LOWER &&
    lengthAt(view, at + 1) >= 3;
  const surname =
    pair && (next & (BIT.STOP | BIT.CLINICAL)) === 0 && (next & BIT.SURNAME) !== 0 && (next & BIT.COMMON) === 0;
  const commonSurname =
    pair &&
    (next & BIT.SURNAME_TOP) !== 0 &&
    (next & (BIT.STOP | BIT.CLINICAL | BIT.TITLE)) === 0 &&
    (flags & BIT.GIVEN_TOP) !== 0 &&
    (flags & BIT.COMMON) === 0 &&
    endsClause(view, at + 2);
  if (commonSurname) {
    emit(view, 'name', [startOf(view, at), endOf(view, at + 1)], 0.65);
    return at + 1;
  }
  const strange = pair && next === 0 && lengthAt(view, at + 1) >= 5;
  if ((flags & BIT.COMMON) !== 0) {
    if (!surname || (flags & BIT.GIVEN_TOP) === 0) return at;
    emit(view, 'name', [startOf(view, at), endOf(view, at + 1)], 0.55);
    return at + 1;
  }
  if (surname || strange) {
    emit(view, 'name', [startOf(view, at), endOf(view, at + 1)], 0.65);
    return at + 1;
  }
  const alone = (flags & BIT.GIVEN_TOP) !== 0 || ((flags & BIT.PROPER) === 0 && lengthAt(view, at) >= 5);
  if (!alone || lengthAt(view, at) < 4 || (flagsAt(view, at + 1) & BIT.EPONYM_HEAD) !== 0) return at;
  emit(view, 'name', [startOf(view, at), endOf(view, at)], 0.6);
  return at;
}
