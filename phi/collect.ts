import { LIMIT } from '#contract/limit.ts';
import { TooManyFindings } from './detector-error.ts';
import { openAgain, type Unopened } from './encoded.ts';
import { applyEvidence, isEmpty } from './evidence.ts';
import type { Finding } from './finding.ts';
import type { Inquiry } from './inquiry.ts';
import { rawOffset, type Segment } from './segment.ts';
import type { Candidate } from './span.ts';
import { findLookalikes } from './surrogate.ts';
import type { View } from './view.ts';

interface Known extends Inquiry {
  /** What was found in each segment. */
  readonly own: readonly (readonly Candidate[])[];
}

/** Puts what was found, and what the evidence adds, into lists by site. @throws TooManyFindings */
export function collectAll(
  raw: Map<number, Finding[]>,
  views: readonly View[],
  segments: readonly Segment[],
  known: Known,
): void {
  views.forEach((view, i) => {
    const segment = segments[i] as Segment;
    const list = raw.get(segment.site) ?? [];
    raw.set(segment.site, list);
    collect(view, segment, { ...known, own: known.own[i] as Candidate[], list });
  });
}

interface Collection extends Inquiry {
  readonly own: readonly Candidate[];
  readonly list: Finding[];
}

/** Maps a segment's candidates, and what the conversation's evidence adds, to raw offsets. */
function collect(view: View, segment: Segment, collection: Collection): void {
  const { own, evidence, list, unopened } = collection;
  const { message: since, field } = segment;
  const push = (candidate: Candidate, known: number): void => pushFinding(segment, candidate, known, list);
  for (let i = 0; i < own.length; i++) push(own[i] as Candidate, since);
  findLookalikes(segment.text, (start, end) => push({ entity: 'other', start, end, score: 1 }, since));
  const closed = unopened.get(segment) ?? [];
  if (isEmpty(evidence)) return;
  if (closed.length > 0) {
    const open = (text: string): number | undefined => collection.open(text, segment, collection);
    openAgain(view, closed, { open, evidence }, (found, known) => push(found, Math.max(known, since)));
  }
  // A number in a field of dates is a date, whatever the same digits were elsewhere.
  if ((field.expects ?? field.whole) === 'date') return;
  let [at, run] = [0, 0];
  applyEvidence(view, evidence, (candidate, known) => {
    if (field.code === true && !isWhole(view, candidate)) return;
    while (run < closed.length && (closed[run] as Unopened).end <= candidate.start) run++;
    if (run < closed.length && (closed[run] as Unopened).start < candidate.end) return;
    // What a recognizer found the evidence mostly finds again: it would only be taken out later.
    while (at < own.length && (own[at] as Candidate).end <= candidate.start) at++;
    const covers = own[at];
    if (known <= since && covers !== undefined && isCovered(candidate, covers)) return;
    push(candidate, Math.max(known, since));
  });
}

function pushFinding(segment: Segment, candidate: Candidate, since: number, list: Finding[]): void {
  const { entity, score } = candidate;
  const { quote, site } = segment;
  // What the evidence finds it often finds a second time.
  if (list.length > 2 * LIMIT.identifiers) throw new TooManyFindings();
  const [from, to] = quote === undefined ? [candidate.start, candidate.end] : [0, segment.text.length];
  const start = rawOffset(segment, from);
  const end = rawOffset(segment, to);
  // An escaped value is the same thing as the plain one.
  const key = candidate.key ?? (end - start === to - from ? undefined : segment.text.slice(from, to));
  list.push({ site, start, end, entity, score, since, key, quote });
}

/** A name's word in a code's text may be a disease's as well, and a place's another's; several together are the person's, the place's. */
function isWhole({ text }: View, { entity, start, end }: Candidate): boolean {
  const words = text.slice(start, end).match(/\p{L}{2,}/gu)?.length ?? 0;
  return words >= (entity === 'name' ? 2 : 3);
}

function isCovered(candidate: Candidate, by: Candidate): boolean {
  return by.start <= candidate.start && candidate.end <= by.end && candidate.score <= by.score;
}
