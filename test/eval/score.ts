/** A text with the pieces that are identifiers in it. */
export interface GoldText {
  readonly id: string;
  readonly text: string;
  readonly spans: readonly { readonly start: number; readonly end: number; readonly type: string }[];
}

export interface FoundSpan {
  readonly start: number;
  readonly end: number;
}

/** What a set of texts scored. Rates are 0..1. */
export interface Score {
  readonly texts: number;
  readonly spans: number;
  /** Gold spans of which no letter or digit is left. */
  readonly recall: number;
  /** Found spans that touch a gold span. */
  readonly precision: number;
  /** Recall weighs double: 5PR / (4P + R). */
  readonly f2: number;
  /** Texts without identifiers in which anything changed. */
  readonly altered: number;
  readonly negatives: number;
  readonly byType: Readonly<Record<string, { readonly spans: number; readonly recall: number }>>;
}

const ALPHANUMERIC = /[\p{L}\p{N}]/u;

/** Countries and states: no identifiers (45 CFR 164.514(b)(2)(i)(B) begins below a state). */
const REGIONS = new Intl.DisplayNames(['en'], { type: 'region' });
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');
const OTHER_NAMES =
  "republic of ireland|kingdom of the netherlands|democratic republic of the congo|republic of the congo|federated states of micronesia|east timor|swaziland|macedonia|myanmar|turkey|cape verde|saint lucia|saint vincent and the grenadines|antigua and barbuda|trinidad and tobago|bosnia and herzegovina|palestine|ivory coast|burma|vatican city|people's republic of china|czech republic|united states of america|the bahamas|the gambia";
const COUNTRIES = new Set([
  ...LETTERS.flatMap((a) => LETTERS.map((b) => (REGIONS.of(a + b) ?? '').toLowerCase())),
  ...OTHER_NAMES.split('|'),
]);

const STATES =
  'Alabama Alaska Arizona Arkansas California Colorado Connecticut Delaware Florida Georgia Hawaii Idaho Illinois Indiana Iowa Kansas Kentucky Louisiana Maine Maryland Massachusetts Michigan Minnesota Mississippi Missouri Montana Nebraska Nevada New Hampshire Jersey Mexico York North South Carolina Dakota Ohio Oklahoma Oregon Pennsylvania Rhode Island Tennessee Texas Utah Vermont Virginia Washington West Wisconsin Wyoming';
/** Words of the names of countries and states, as they are written. */
const REGION_WORDS = new Set(
  LETTERS.flatMap((a) => LETTERS.map((b) => REGIONS.of(a + b) ?? ''))
    .concat(STATES.split(' '))
    .flatMap((name) => name.split(/[^\p{L}]+/u))
    .filter((word) => word.length > 2),
);

/** Whether the word at a place is a country's, a state's or a state's code: in an address it may stay (45 CFR 164.514(b)(2)(i)(B)). */
function isRegion(text: string, at: number): boolean {
  let [start, end] = [at, at];
  while (start > 0 && /\p{L}/u.test(text.charAt(start - 1))) start--;
  while (end < text.length && /\p{L}/u.test(text.charAt(end))) end++;
  const word = text.slice(start, end);
  return REGION_WORDS.has(word) || /^[A-Z]{2}$/.test(word);
}

/** The gold spans that are identifiers: a place that is a whole country is none. */
export function withoutCountries(gold: readonly GoldText[]): readonly GoldText[] {
  return gold.map((each) => ({
    ...each,
    spans: each.spans.filter(
      ({ start, end, type }) => type !== 'LOCATION' || !COUNTRIES.has(each.text.slice(start, end).toLowerCase().trim()),
    ),
  }));
}

/**
 * Full-span recall: a gold span counts only when nothing alphanumeric of it is left. A title before a name may stay, and the state and country of
 * an address.
 */
export function score(gold: readonly GoldText[], find: (text: string) => readonly FoundSpan[]): Score {
  const types = new Map<string, { spans: number; hit: number }>();
  let [out, right, altered, negatives] = [0, 0, 0, 0];
  for (const { text, spans } of gold) {
    const found = find(text);
    const covered = new Uint8Array(text.length);
    for (const span of found) covered.fill(1, span.start, span.end);
    for (const span of spans) {
      const type = types.get(span.type) ?? { spans: 0, hit: 0 };
      types.set(span.type, type);
      type.spans++;
      if (isCovered(text, span, covered)) type.hit++;
    }
    out += found.length;
    right += found.filter((span) => spans.some((each) => each.start < span.end && span.start < each.end)).length;
    if (spans.length > 0) continue;
    negatives++;
    if (found.length > 0) altered++;
  }
  const all = [...types.values()];
  const count = all.reduce((sum, type) => sum + type.spans, 0);
  const recall = rate(
    all.reduce((sum, type) => sum + type.hit, 0),
    count,
  );
  const precision = rate(right, out);
  return {
    texts: gold.length,
    spans: count,
    recall,
    precision,
    f2: rate(5 * precision * recall, 4 * precision + recall),
    altered: rate(altered, negatives),
    negatives,
    byType: Object.fromEntries([...types].map(([type, { spans, hit }]) => [type, { spans, recall: rate(hit, spans) }])),
  };
}

function isCovered(
  text: string,
  span: { readonly start: number; readonly end: number; readonly type: string },
  covered: Uint8Array,
): boolean {
  const title = /^(?:NAME|PERSON)$/.test(span.type)
    ? (/^(?:dr|mr|mrs|ms|miss|prof|nurse)\.?\s+/i.exec(text.slice(span.start, span.end))?.[0].length ?? 0)
    : 0;
  for (let i = span.start + title; i < span.end; i++) {
    if (covered[i] !== 0 || !ALPHANUMERIC.test(text.charAt(i))) continue;
    if (span.type !== 'STREET_ADDRESS' || !/\p{L}/u.test(text.charAt(i)) || !isRegion(text, i)) return false;
  }
  return true;
}

function rate(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
