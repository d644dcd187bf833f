import { CALENDAR } from './calendar.ts';
import { CLINICAL } from './clinical.ts';
import { FACILITIES } from './facilities.ts';
import { FUNCTION_WORDS } from './function-words.ts';
import { LABELS } from './labels.ts';
import { PEOPLE } from './people.ts';
import { PLACES } from './places.ts';
import type { WordGroup } from './word-group.ts';

/** Every word list that was written by hand. */
export function curatedWords(): readonly WordGroup[] {
  return [...FUNCTION_WORDS, ...CALENDAR, ...PEOPLE, ...PLACES, ...FACILITIES, ...CLINICAL, ...LABELS];
}
