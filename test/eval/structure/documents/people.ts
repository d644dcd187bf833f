/** An invented person as documents name one. */
export interface Person {
  readonly given: string;
  readonly middle: string;
  readonly family: string;
  readonly street: string;
  readonly town: string;
  readonly zip: string;
  /** Ten digits. */
  readonly phone: string;
  readonly email: string;
  readonly mrn: string;
  readonly ssn: string;
  readonly member: string;
  readonly account: string;
  /** YYYY-MM-DD. */
  readonly birth: string;
  readonly uuid: string;
}

/** Names that no list of the engine was made from, and one with each mark that a format escapes. */
const FAMILY =
  "Thornquist Zblewska Okwuosaigbo Vandermolen Ó'Ruairc Kjærulfsen Brzezicki D'Ambrogianni Mbekwelu Haraldsdotter".split(
    ' ',
  );
const GIVEN =
  'Eloisa Tadeuszka Nkemakonam Ragnvald Aoibheannait Søremette Wojtekslaw Giacobina Sibongilekhaya Ingrún'.split(' ');
const MIDDLE = 'Quenby Radmila Tolvanen Ysolda Varnika Ottoline Perpetua Zephyrine Lisbetha Morwenna'.split(' ');
const TOWNS = 'Brackenwold,Tillersby,Quarnford Mills,Wexhollow,Dunmarrow,Saltcombe,Penhallowick,Ashgrovia'.split(',');
const STREETS = 'Kestrelgate Ln,Old Tannery Rd,Hollinsworth Ave,Marblethorpe Ct,Juniperfield Way'.split(',');

export type Random = (below: number) => number;

/** Mulberry32: small, and the same everywhere. */
export function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export function invent(random: Random): Person {
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? '';
  const digits = (length: number): string =>
    Array.from({ length }, (_, i) => (i === 0 ? 2 + random(8) : random(10))).join('');
  const hex = (length: number): string => Array.from({ length }, () => random(16).toString(16)).join('');
  const two = (value: number): string => String(value).padStart(2, '0');
  const [given, family] = [pick(GIVEN), pick(FAMILY)];
  return {
    given,
    middle: pick(MIDDLE),
    family,
    street: `${digits(4)} ${pick(STREETS)}`,
    town: pick(TOWNS),
    zip: digits(5),
    phone: `${digits(3)}555${digits(4)}`,
    email: `user.${hex(5)}@example.org`,
    mrn: digits(8),
    ssn: `${digits(3)}-${digits(2)}-${digits(4)}`,
    member: `XQ${digits(9)}`,
    account: digits(10),
    birth: `${1931 + random(70)}-${two(1 + random(12))}-${two(1 + random(28))}`,
    uuid: `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
  };
}

/** `(217) 555-0142` of ten digits. */
export function dashed(phone: string): string {
  return `(${phone.slice(0, 3)}) ${phone.slice(3, 6)}-${phone.slice(6)}`;
}

export function note(person: Person, doctor: Person): string {
  const [year, month, day] = person.birth.split('-');
  return `${person.given} ${person.family} (MRN ${person.mrn}, born ${month}/${day}/${year}) of ${person.street}, ${person.town}, OH ${person.zip} called from ${dashed(person.phone)}. Ms. ${person.family} takes metformin 500 mg twice daily, A1c 7.2 %. Seen by Dr. ${doctor.given} ${doctor.family}.`;
}
