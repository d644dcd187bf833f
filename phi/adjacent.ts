import type { TextSite } from '#contract/text-site.ts';
import { detect } from './detect.ts';
import { lex } from './lexer.ts';
import { PROSE, type Segment } from './segment.ts';
import { bridgePlaces, type Candidate, mergeCandidates } from './span.ts';
import { createTokens, type Tokens } from './tokens.ts';
import type { DatePolicy } from './view.ts';

/**
 * Texts that stand beside each other in one message, as templates write them: `{text: "MRN: "}, {text: "448812"}`. What the end of one says of the
 * beginning of the next is found as if both were one text. A word that is cut in two is not put together.
 */

/** Units of each text that are looked at together: a label, a name, an address. */
const REACH = 160;

/** @param segments in order. @returns what segments hold by their neighbours alone; most conversations have nothing of the kind */
export function findAcross(
  segments: readonly Segment[],
  sites: readonly TextSite[],
  dates: DatePolicy,
): ReadonlyMap<Segment, readonly Candidate[]> {
  const across = new Map<Segment, Candidate[]>();
  const look: Look = { dates, tokens: createTokens(REACH) };
  const add = (segment: Segment, candidate: Candidate): void => {
    const list = across.get(segment) ?? [];
    across.set(segment, list);
    list.push(candidate);
  };
  for (let i = 1; i < segments.length; i++) {
    const [before, after] = [segments[i - 1] as Segment, segments[i] as Segment];
    if (!areBeside(before, after, sites)) continue;
    const tail = tailOf(before.text);
    const shift = before.text.length - tail.length;
    for (const { first, candidate } of acrossSeam(tail, headOf(after.text), look)) {
      const { entity, start, end, score } = candidate;
      if (first) add(before, { entity, start: start + shift, end: end + shift, score });
      else add(after, candidate);
    }
  }
  return across;
}

/** Whether two segments of prose meet where one text of a message ends and the next begins. */
function areBeside(before: Segment, after: Segment, sites: readonly TextSite[]): boolean {
  return (
    after.site === before.site + 1 &&
    after.message === before.message &&
    isProse(before) &&
    isProse(after) &&
    after.offset === 0 &&
    before.offset + before.text.length === sites[before.site]?.text.length
  );
}

function isProse({ field, map, quote }: Segment): boolean {
  return field === PROSE && map === undefined && quote === undefined;
}

/** The last words of a text. */
function tailOf(text: string): string {
  return text.length <= REACH ? text : text.slice(-REACH).replace(/^\S+/, '');
}

/** The first words of a text. */
function headOf(text: string): string {
  return text.length <= REACH ? text : text.slice(0, REACH).replace(/\S+$/, '');
}

/** How texts are looked at: the tokens of one make room for those of the next. */
interface Look {
  readonly dates: DatePolicy;
  readonly tokens: Tokens;
}

interface Found {
  /** In the first of both texts. */
  readonly first: boolean;
  readonly candidate: Candidate;
}

function acrossSeam(tail: string, head: string, look: Look): readonly Found[] {
  const glue = glueOf(tail, head);
  if (glue === undefined) return [];
  const [cut, next] = [tail.length, tail.length + glue.length];
  const text = `${tail}${glue}${head}`;
  const alone = [...findIn(tail, look), ...findIn(head, look).map((found) => moved(found, next))];
  return findIn(text, look).flatMap((found) => {
    const parts = [
      { first: true, candidate: trimmed(text, { ...found, end: Math.min(found.end, cut) }) },
      { first: false, candidate: trimmed(text, { ...found, start: Math.max(found.start, next) }) },
    ];
    return parts
      .filter(({ candidate }) => candidate.start < candidate.end && !alone.some((each) => covers(each, candidate)))
      .map(({ first, candidate }) => ({ first, candidate: first ? candidate : moved(candidate, -next) }));
  });
}

/** What stands between two texts when they are read as one; undefined for paragraphs, which are no phrase that was cut. */
function glueOf(tail: string, head: string): string | undefined {
  if (/\s$/.test(tail) || /^\s/.test(head) || /[-/@_]$/.test(tail)) return '';
  return /[:=#,(]$/.test(tail) ? ' ' : undefined;
}

function findIn(text: string, { dates, tokens }: Look): readonly Candidate[] {
  tokens.count = 0;
  lex(text, tokens);
  const { cells, count } = tokens;
  const found: Candidate[] = [];
  detect({ text, cells, from: 0, to: count, dates, expects: undefined, found });
  return bridgePlaces(mergeCandidates(found), text);
}

/** Without the white space at which a value was cut. */
function trimmed(text: string, { entity, start, end, score }: Candidate): Candidate {
  const piece = text.slice(start, Math.max(start, end));
  const from = start + piece.length - piece.trimStart().length;
  return { entity, start: from, end: start + piece.trimEnd().length, score };
}

/** Without its key: a part of a value is another thing than the value. */
function moved({ entity, start, end, score }: Candidate, by: number): Candidate {
  return { entity, start: start + by, end: end + by, score };
}

function covers(by: Candidate, candidate: Candidate): boolean {
  return by.start <= candidate.start && candidate.end <= by.end;
}
