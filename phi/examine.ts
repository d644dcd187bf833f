import type { Entity } from '#contract/entity.ts';
import { LIMIT } from '#contract/limit.ts';
import type { TextSite } from '#contract/text-site.ts';
import { BIT as BITS } from './bit.ts';
import { findAcross } from './adjacent.ts';
import { detect } from './detect.ts';
import { TooManyFindings } from './detector-error.ts';
import { batchSegments } from './batch.ts';
import { collectAll } from './collect.ts';
import { examineEncoded, examineRuns, type Unopened } from './encoded.ts';
import { createEvidence, learnFrom } from './evidence.ts';
import { lex } from './lexer.ts';
import type { ExamineOptions, Inquiry, Outer } from './inquiry.ts';
import { matchListed } from './match-listed.ts';
import type { Finding } from './finding.ts';
import type { Segment } from './segment.ts';
import { settle } from './settle.ts';
import { bridgePlaces, type Candidate, mergeCandidates } from './span.ts';
import { segmentSite } from './structure/segments.ts';
import type { Tokens } from './tokens.ts';
import { endOf, flagsAt, isCapitalised, isInitial, startOf, type View } from './view.ts';
import { giveWorkspace, takeWorkspace } from './workspace.ts';

// Bound here: view.ts says why.
const BIT = BITS;

export interface Examined {
  readonly findings: readonly Finding[];
}

/**
 * Finds the identifiers of a conversation: segments, tokens, recognizers, then what they taught applied to all of it.
 * @throws TooManyFindings beyond `LIMIT.identifiers` or `LIMIT.segments`
 * @param outer of what encoded text stands in; none for a conversation
 */
export function examineSites(sites: readonly TextSite[], options: ExamineOptions, outer?: Outer): Examined {
  const segments: Segment[] = [];
  for (const [index, site] of sites.entries()) {
    segmentSite(site, index, segments);
    if (segments.length > LIMIT.segments) throw new TooManyFindings();
  }
  const batches = batchSegments(segments);
  const largest = batches.reduce((most, batch) => Math.max(most, sizeOf(batch)), 0);
  const workspace = takeWorkspace(largest >> 2);
  const depth = outer?.depth ?? 0;
  const evidence = outer?.evidence ?? createEvidence(workspace.sieve);
  const unopened = new Map<Segment, Unopened[]>();
  const inquiry: Inquiry = { options, depth, evidence, unopened, open: openText };
  const across = sites.length < 2 ? undefined : findAcross(batches.flat(), sites, options.dates);
  let count = 0;
  let views: readonly View[] = [];
  const own = batches.map((batch) => {
    views = lexBatch(batch, workspace.tokens, options);
    return batch.map((segment, i) => {
      const view = views[i] as View;
      const inside = examineSegment(view, segment, inquiry);
      const beside = across?.get(segment);
      const found = beside === undefined ? inside : mergeCandidates([...inside, ...beside]);
      count += found.length;
      if (count > LIMIT.identifiers) throw new TooManyFindings();
      learnFrom(view, found, segment.message, evidence);
      return found;
    });
  });
  const raw = new Map<number, Finding[]>();
  for (const [i, batch] of batches.entries()) {
    // The tokens of one batch are still there; to make those of several again costs less than to keep them.
    if (batches.length > 1) views = lexBatch(batch, workspace.tokens, options);
    collectAll(raw, views, batch, { ...inquiry, own: own[i] as Candidate[][] });
    own[i] = [];
  }
  giveWorkspace(workspace);
  return { findings: settle(sites, raw) };
}

function sizeOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.text.length, 0);
}

function lexBatch(batch: readonly Segment[], tokens: Tokens, { dates }: ExamineOptions): readonly View[] {
  tokens.count = 0;
  const ends = batch.map(({ text }) => {
    lex(text, tokens);
    return tokens.count;
  });
  const { cells } = tokens;
  return batch.map(({ text, field: { expects, whole } }, i) => {
    const [from, to] = [ends[i - 1] ?? 0, ends[i] as number];
    return { text, cells, from, to, dates, expects: expects ?? whole, found: [] };
  });
}

function examineSegment(view: View, segment: Segment, how: Inquiry): Candidate[] {
  const { whole, expects, code, encoded, key } = segment.field;
  const closed: Unopened[] = [];
  const open = (text: string): number | undefined => how.open(text, segment, how);
  const note = (found: Candidate[]): Candidate[] => {
    if (closed.length > 0) how.unopened.set(segment, closed);
    return found;
  };
  const decoded = encoded === true ? examineEncoded(segment.text, open, closed) : undefined;
  if (decoded !== undefined) return note(decoded);
  if (whole !== undefined && whole !== 'date' && hasContent(segment.text))
    return [wholeValue(segment.text, whole, key)];
  detect(view);
  if (how.options.names !== undefined) matchListed(view, how.options.names);
  let found = bridgePlaces(mergeCandidates(note(examineRuns(view, open, closed))), segment.text);
  if (code === true) found = found.filter(({ entity, score }) => score >= 0.9 && entity !== 'url' && entity !== 'date');
  if (segment.quote !== undefined)
    found = found
      .filter(({ score }) => score > 0.5)
      .map(({ entity, score }) => ({ entity, start: 0, end: segment.text.length, score }));
  if (expects === 'name' && found.length === 0 && isNameLike(view)) return [wholeValue(segment.text, 'name')];
  if ((expects ?? whole) === 'date' && found.length === 0 && DIGITS.test(segment.text))
    return [wholeValue(segment.text, 'date')];
  return found.slice(0, segment.quote === undefined ? undefined : 1);
}

/** More digits than a year in a field of a date that reads like none. */
const DIGITS = /\d\D{0,2}\d\D{0,2}\d\D{0,2}\d\D{0,2}\d/;

/** Base64 in base64 is opened this often; what is nested deeper counts as text that holds an identifier. */
const MAX_DEPTH = 2;

/** @returns since which message a decoded text is known to hold an identifier; undefined where it holds none */
function openText(text: string, { message }: Segment, { options, depth, evidence }: Inquiry): number | undefined {
  if (depth >= MAX_DEPTH) return message;
  const { findings } = examineSites([{ text, format: 'text', message }], options, { depth: depth + 1, evidence });
  return findings.length === 0 ? undefined : findings.reduce((first, { since }) => Math.min(first, since), Infinity);
}

function wholeValue(text: string, entity: Entity, key?: string): Candidate {
  const start = text.length - text.trimStart().length;
  const range = { entity, start, end: text.trimEnd().length, score: 0.99 };
  return key === undefined ? range : { ...range, key };
}

const EMPTY =
  /^[^\p{L}\p{N}]*(?:unknown|none|null|n\/?a|not available|not applicable|true|false|yes|no|redacted|tbd|\?)?[^\p{L}\p{N}]*$/iu;

function hasContent(text: string): boolean {
  return text.length > 40 || !EMPTY.test(text);
}

/** One to four capitalised words without an ordinary one: a name that no list holds. */
function isNameLike(view: View): boolean {
  const count = view.to - view.from;
  if (count < 1 || count > 4) return false;
  for (let i = view.from; i < view.to; i++) {
    if (!isCapitalised(view, i) && !isInitial(view, i)) return false;
    if ((flagsAt(view, i) & (BIT.COMMON | BIT.STOP | BIT.CLINICAL | BIT.COUNTRY)) !== 0) return false;
  }
  return endOf(view, view.to - 1) > startOf(view, view.from);
}
