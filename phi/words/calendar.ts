import { BIT } from '../bit.ts';
import { group, type WordGroup } from './word-group.ts';

/** Months in order; the index in {@link monthOf} follows from it. */
const MONTHS = 'january february march april may june july august september october november december'.split(' ');

/** @param word folded. @returns 1-12, or 0 when it names no month */
export function monthOf(word: string): number {
  if (word.length < 3) return 0;
  const at = MONTHS.findIndex((month) => month.startsWith(word.slice(0, 3)));
  return at >= 0 && (MONTHS[at]?.startsWith(word) === true || word === 'sept') ? at + 1 : 0;
}

export const CALENDAR: readonly WordGroup[] = [
  group(BIT.MONTH, `${MONTHS.join(' ')} jan feb mar apr jun jul aug sep sept oct nov dec`),
  group(
    BIT.WEEKDAY | BIT.STOP,
    'monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays tues thurs',
  ),
  group(BIT.HOLIDAY, 'christmas xmas thanksgiving easter halloween juneteenth hanukkah ramadan passover diwali eid'),
];
