import type { Entity } from '#contract/entity.ts';

/** A piece of a segment's text that a recognizer takes for an identifier. */
export interface Candidate {
  readonly entity: Entity;
  /** `[start, end)` in UTF-16 units of the segment's text. */
  readonly start: number;
  readonly end: number;
  /** 0..1; the strongest evidence names the entity where candidates overlap. */
  readonly score: number;
  /** What makes two spans the same thing (a date by year, month and day), compared folded; the text itself when absent. */
  readonly key?: string;
}

/** A replaced piece of a site, as `lazaret scan` and the audit show it. */
export interface SurrogateSpan {
  /** `[start, end)` in UTF-16 units of the site's text. */
  readonly start: number;
  readonly end: number;
  readonly entity: Entity;
  readonly score: number;
  readonly surrogate: string;
}

/**
 * Makes candidates disjoint: where they overlap the union is redacted and the strongest names it (T8).
 * @returns sorted by start
 */
export function mergeCandidates(candidates: Candidate[]): Candidate[] {
  if (candidates.length < 2 || isDisjoint(candidates)) return candidates;
  candidates.sort((a, b) => a.start - b.start || b.end - a.end);
  const merged: Candidate[] = [];
  for (const next of candidates) {
    const last = merged.at(-1);
    if (last === undefined || next.start >= last.end) merged.push(next);
    else merged[merged.length - 1] = unite(last, next);
  }
  return merged;
}

/** Whether candidates are in order and none touches the next: recognizers mostly find them so. */
function isDisjoint(candidates: readonly Candidate[]): boolean {
  for (let i = 1; i < candidates.length; i++)
    if ((candidates[i] as Candidate).start < (candidates[i - 1] as Candidate).end) return false;
  return true;
}

function unite(a: Candidate, b: Candidate): Candidate {
  const strongest = b.score > a.score ? b : a;
  if (a.start <= b.start && a.end >= b.end && strongest === a) return a;
  if (b.start <= a.start && b.end >= a.end && strongest === b) return b;
  return {
    entity: strongest.entity,
    start: Math.min(a.start, b.start),
    end: Math.max(a.end, b.end),
    score: strongest.score,
  };
}

const PLACES: ReadonlySet<Entity> = new Set<Entity>(['location', 'facility']);

/** Joins `St. Luke's` and `Chicago` in `St. Luke's in Chicago`: the little word between says nothing by itself. */
export function bridgePlaces(candidates: Candidate[], text: string): Candidate[] {
  if (candidates.length < 2) return candidates;
  const bridged: Candidate[] = [];
  for (const next of candidates) {
    const last = bridged.at(-1);
    const near = last !== undefined && next.start - last.end <= 5 && PLACES.has(last.entity) && PLACES.has(next.entity);
    if (near && /^,? (?:in|of|at) $|^, $|^\s$/.test(text.slice(last.end, next.start)))
      bridged[bridged.length - 1] = { ...last, end: next.end };
    else if (last !== undefined && isIntersection(last, next, text))
      bridged[bridged.length - 1] = { ...next, start: last.start };
    else bridged.push(next);
  }
  return bridged;
}

/** Ends of a street address: a house number, a street word. */
const STREET_END = /(?:\d[a-d]?\.?|street|st|avenue|ave|road|rd|lane|drive|blvd)$/i;

/** `Elm and 226 Thomas Avenue`: two streets that meet. The first may have been taken for a name. */
function isIntersection(last: Candidate, next: Candidate, text: string): boolean {
  if (
    next.entity !== 'location' ||
    next.start - last.end !== 5 ||
    (last.entity !== 'location' && last.entity !== 'name')
  )
    return false;
  return (
    text.slice(last.end, next.start) === ' and ' &&
    STREET_END.test(text.slice(next.start, next.end).slice(-8)) &&
    /\d| /.test(text.slice(next.start, next.end))
  );
}
