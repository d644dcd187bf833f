import english from 'dictionary-en';
import type { Contents, Held } from './held.ts';

/** A held value, or a word of one, that can still be read in the redacted document. */
export interface Leak extends Held {
  readonly left: string;
}

const SURROGATE =
  /\b(?:NAME|PLACE|FACILITY|DATE|AGE|PHONE|FAX|EMAIL|SSN|MRN|PLAN|ACCT|LICENSE|VEHICLE|DEVICE|URL|IP|BIOMETRIC|IMAGE|CODE)_\d+[a-z]+\d\d\b/g;

/** Names a list or a template, not a person; what stands in it by chance is no leak. */
const OID = /\b[012](?:\.\d+){4,}\b/g;

/** Ordinary words: what the dictionary has in lower case. A person may be called so, but the word alone tells nobody. */
const dictionary = new Set(
  Buffer.from(english.dic)
    .toString('utf8')
    .split('\n')
    .map((line) => line.split('/')[0] ?? '')
    .filter((word) => /^[a-z]/.test(word)),
);
/** What stands in names of systems, places and fields without telling a place. */
const PUBLIC =
  'usa united states america alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois indiana iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana nebraska nevada hampshire jersey mexico york carolina dakota ohio oklahoma oregon pennsylvania rhode tennessee texas utah vermont virginia washington wisconsin wyoming hospital hospitals clinic center medical health healthcare inc llc ltd dept lab labs laboratory street avenue road drive suite apt unit and the mrs phd dds rnp nbs tel http https mailto www com org net unknown none null test patient doctor english french spanish iso hl7 obx';
const ordinary = (word: string): boolean =>
  dictionary.has(word) || dictionary.has(word.replace(/s$/, '')) || PUBLIC.split(' ').includes(word);

const fold = (text: string): string =>
  ` ${text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()} `;

/**
 * Looks for what a document held in what became of it: whole values in any case and punctuation, words of names and addresses
 * (three letters and more that no dictionary has), numbers without their separators, birth dates as people write them.
 * @param output the redacted text. @param read the same text, read by its format's parser
 */
export function findLeaks(held: readonly Held[], output: string, read: Contents): readonly Leak[] {
  const inPlace = held.flatMap((each) => {
    const left = remains(each, read.texts[each.at] ?? '');
    return left === '' ? [] : [{ ...each, left: `in place: ${left}` }];
  });
  const bare = [output, ...read.texts, ...read.texts.flatMap((text) => decoded(text, 3))]
    .map((text) => text.replaceAll(SURROGATE, ' § ').replaceAll(OID, ' § '))
    .join(' § ');
  const folded = fold(bare);
  const words = new Set(folded.split(' '));
  const digits = bare.replaceAll(/(?<=\d)[\s().^-]{1,3}(?=\d)/g, '');
  const leaks: Leak[] = [...inPlace];
  const seen = new Set<string>();
  for (const each of held) {
    const id = `${each.kind} ${each.value}`;
    if (seen.has(id)) continue;
    seen.add(id);
    const left = whatIsLeft(each, { folded, words, digits });
    if (left !== undefined) leaks.push({ ...each, left });
  }
  return leaks;
}

/** What can still be read where a value stood: letters and digits beside surrogates. */
function remains({ kind }: Held, text: string): string {
  // A subcomponent or a type behind the value says whose list it is from.
  const value = kind === 'id' || kind === 'facility' ? (text.split('&')[0] ?? '') : text;
  return value
    .replaceAll(SURROGATE, '')
    .replaceAll(
      /^(?:tel|mailto|fax|urn:uuid|urn:oid|https?|[A-Z][A-Za-z]+\/|#)[:]?|(?:\.\d+)?(?:[+-]\d{4})$|T?\d\d(?::?\d\d){1,2}(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?$/g,
      '',
    )
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

interface Output {
  readonly folded: string;
  readonly words: ReadonlySet<string>;
  readonly digits: string;
}

function whatIsLeft({ kind, value }: Held, { folded, words, digits }: Output): string | undefined {
  if (kind === 'date' || kind === 'birth') return writtenDates(value).find((each) => folded.includes(fold(each)));
  const whole = fold(
    kind === 'telecom' || kind === 'id' ? value.replace(/^(?:tel|mailto|fax|urn:uuid|[A-Z]\w+\/)[:]?/, '') : value,
  );
  const bare = whole.trim();
  if (bare.length >= (kind === 'id' ? 4 : 3) && !ordinary(bare) && !/^\d{1,4}$/.test(bare) && folded.includes(whole))
    return bare;
  const number = value.replaceAll(/\D/g, '');
  if (number.length >= 7 && number.length > value.length / 2 && new RegExp(`(?<!\\d)${number}(?!\\d)`).test(digits))
    return number;
  if (kind === 'name' || kind === 'address' || kind === 'facility')
    return bare
      .split(' ')
      .find((word) => word.length >= 3 && !/^\d{1,4}$/.test(word) && !ordinary(word) && words.has(word));
  return undefined;
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** A date that is finer than a year, in the ways of writing it that tell its day or month beside its year. */
function writtenDates(value: string): readonly string[] {
  const match = /^(\d{4})-?(\d\d)(?:-?(\d\d))?/.exec(value);
  if (match === null) return [];
  const [, year = '', month = '', day] = match;
  const name = MONTHS[Number(month) - 1] ?? '';
  if (day === undefined) return [`${year}-${month}`, `${name} ${year}`, `${name.slice(0, 3)} ${year}`];
  const [m, d] = [String(Number(month)), String(Number(day))];
  return [
    `${year}-${month}-${day}`,
    `${year}${month}${day}`,
    value,
    `${m}/${d}/${year}`,
    `${month}/${day}/${year}`,
    `${name} ${d}, ${year}`,
    `${name.slice(0, 3)} ${d}, ${year}`,
    `${d} ${name} ${year}`,
    `${d}-${name.slice(0, 3)}-${year}`,
  ];
}

/** What base64 in a text says, and base64 in that. */
function decoded(text: string, depth: number): readonly string[] {
  if (depth === 0) return [];
  const runs = text.match(/[A-Za-z0-9+/_-][A-Za-z0-9+/_\s-]{14,}={0,2}/g) ?? [];
  return runs
    .map((run) => Buffer.from(run.replaceAll(/\s/g, ''), 'base64').toString('utf8'))
    .filter(isReadable)
    .flatMap((plain) => [plain, ...decoded(plain, depth - 1)]);
}

/** Not an image or a compressed document. */
function isReadable(text: string): boolean {
  const start = text.slice(0, 200);
  const odd = start.match(/[^\p{L}\p{N}\p{P}\p{S}\s]|\ufffd/gu)?.length ?? 0;
  return odd < 0.05 * start.length;
}
