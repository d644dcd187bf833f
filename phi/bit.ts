/** What is known of a word; a word may be several things at once ("Will", "Hope", "Boston"). */
export const BIT = {
  GIVEN_TOP: 1 << 0,
  GIVEN: 1 << 1,
  SURNAME_TOP: 1 << 2,
  SURNAME: 1 << 3,
  /** In an English dictionary in lower case, inflected forms too. */
  COMMON: 1 << 4,
  /** In an English dictionary with a capital: a place, a brand, a people. */
  PROPER: 1 << 5,
  /** Function words and words that never are part of a name. */
  STOP: 1 << 6,
  /** Eponyms, drugs, organisms, scores, vendors: a name only behind a title. */
  CLINICAL: 1 << 7,
  MONTH: 1 << 8,
  WEEKDAY: 1 << 9,
  HOLIDAY: 1 << 10,
  TITLE: 1 << 11,
  CREDENTIAL: 1 << 12,
  /** Words that stand before a person's name: patient, pt, mother, named. */
  ROLE: 1 << 13,
  FACILITY: 1 << 14,
  FACILITY_PART: 1 << 15,
  STREET: 1 << 16,
  DIRECTION: 1 << 17,
  CITY: 1 << 18,
  STATE: 1 << 19,
  STATE_CODE: 1 << 20,
  COUNTRY: 1 << 21,
  PREPOSITION: 1 << 22,
  UNIT: 1 << 23,
  PARTICLE: 1 << 24,
  /** A hospital or health system by its short name. */
  FACILITY_NAME: 1 << 25,
  /** disease, syndrome, sign: what stands after an eponym. */
  EPONYM_HEAD: 1 << 26,
  /** number, no, id, is: what may stand between a label and its value. */
  FILLER: 1 << 27,
  /** City part words: springs, falls, beach, heights. */
  CITY_PART: 1 << 28,
  /** A town of a thousand people or more, anywhere; the well-known ones are CITY too. */
  TOWN: 1 << 29,
  /** st, saint, mount: begins a facility's or a town's name. */
  SAINT: 1 << 31,
  /** First word of a phrase in phrases.ts. */
  PHRASE: 1 << 30,
} as const;
