import type { Entity } from '#contract/entity.ts';
import { LIMIT } from '#contract/limit.ts';
import type { TextSite } from '#contract/text-site.ts';
import { BIT } from './bit.ts';
import { detect } from './detect.ts';
import { TooManyFindings } from './detector-error.ts';
import { batchSegments } from './batch.ts';
import { base64At } from './structure/base64.ts';
import { applyEvidence, createEvidence, type Evidence, learnFrom } from './evidence.ts';
import { lex, type Tokens } from './lexer.ts';
import type { Listed } from './listed.ts';
import { matchListed } from './match-listed.ts';
import type { Finding } from './finding.ts';
import { rawOffset, type Segment } from './segment.ts';
import { settle } from './settle.ts';
import { bridgePlaces, type Candidate, mergeCandidates } from './span.ts';
import { segmentSite } from './structure/segments.ts';
import { findLookalikes } from './surrogate.ts';
import { type DatePolicy, endOf, flagsAt, isCapitalised, isInitial, startOf, type View } from './view.ts';
import { giveWorkspace, takeWorkspace } from './workspace.ts';

export interface Examined {
  readonly findings: readonly Finding[];
}

/** What an examination is told beside the text. */
export interface ExamineOptions {
  readonly dates: DatePolicy;
  readonly names?: Listed;
}

/**
 * Finds the identifiers of a conversation: segments, tokens, recognizers, then what they taught applied to all of it.
 * @throws TooManyFindings beyond `LIMIT.identifiers` or `LIMIT.segments`
 */
export function examineSites(sites: readonly TextSite[], options: ExamineOptions, depth = 0): Examined {
  const segments: Segment[] = [];
  for (const [index, site] of sites.entries()) {
    segmentSite(site, index, segments);
    if (segments.length > LIMIT.segments) throw new TooManyFindings();
  }
  const batches = batchSegments(segments);
  const largest = batches.reduce((most, batch) => Math.max(most, sizeOf(batch)), 0);
  const workspace = takeWorkspace(largest >> 2);
  const evidence = createEvidence(workspace.sieve);
  let count = 0;
  let views: readonly View[] = [];
  const own = batches.map((batch) => {
    views = lexBatch(batch, workspace.tokens, options);
    return batch.map((segment, i) => {
      const view = views[i] as View;
      const found = examineSegment(view, segment, { options, depth });
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
    collectAll(raw, views, batch, { own: own[i] as Candidate[][], evidence });
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
  return batch.map(({ text, field }): View => {
    const from = tokens.count;
    lex(text, tokens);
    const { expects, whole } = field;
    return { text, tokens, from, to: tokens.count, dates, expects: expects ?? whole, found: [] };
  });
}

interface Depth {
  readonly options: ExamineOptions;
  /** How deep in base64. */
  readonly depth: number;
}

function examineSegment(view: View, segment: Segment, how: Depth): Candidate[] {
  const { whole, expects, code } = segment.field;
  if (whole !== undefined && whole !== 'date' && hasContent(segment.text)) return [wholeValue(segment.text, whole)];
  detect(view);
  if (how.options.names !== undefined) matchListed(view, how.options.names);
  let found = bridgePlaces(mergeCandidates(examineBase64(view, how)), segment.text);
  if (code === true) found = found.filter(({ entity, score }) => score >= 0.9 && entity !== 'url' && entity !== 'date');
  if (segment.quote !== undefined)
    found = found
      .filter(({ score }) => score > 0.5)
      .map(({ entity, score }) => ({ entity, start: 0, end: segment.text.length, score }));
  if (expects === 'name' && found.length === 0 && isNameLike(view)) return [wholeValue(segment.text, 'name')];
  return found.slice(0, segment.quote === undefined ? undefined : 1);
}

/** Words of base64 are longer than any word of a language. */
const LONG_WORD = 20;
/** Base64 in base64 is opened this often. */
const MAX_DEPTH = 2;

/** Base64 of text that holds an identifier goes as a whole; base64 of anything else stays as it is. @returns the candidates that hold */
function examineBase64(view: View, { options, depth }: Depth): Candidate[] {
  const { start, end } = view.tokens;
  let found = view.found;
  for (let i = view.from; i < view.to; i++) {
    if ((end[i] as number) - (start[i] as number) < LONG_WORD) continue;
    const run = base64At(view.text, start[i] as number);
    if (run.kind !== 'other') found = found.filter((each) => each.end <= run.start || each.start >= run.end);
    if (run.kind === 'text' && depth < MAX_DEPTH && holdsIdentifier(run.text, options, depth)) {
      found.push({ entity: 'other', start: run.start, end: run.end, score: 0.99 });
    }
    while (i + 1 < view.to && (start[i + 1] as number) < run.end) i++;
  }
  return found;
}

function holdsIdentifier(text: string, options: ExamineOptions, depth: number): boolean {
  return examineSites([{ text, format: 'text', message: 0 }], options, depth + 1).findings.length > 0;
}

function wholeValue(text: string, entity: Entity): Candidate {
  const start = text.length - text.trimStart().length;
  return { entity, start, end: text.trimEnd().length, score: 0.99 };
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

interface Known {
  /** Of each segment. */
  readonly own: readonly (readonly Candidate[])[];
  readonly evidence: Evidence;
}

/** Puts what was found, and what the evidence adds, into lists by site. */
function collectAll(
  raw: Map<number, Finding[]>,
  views: readonly View[],
  segments: readonly Segment[],
  { own, evidence }: Known,
): void {
  views.forEach((view, i) => {
    const segment = segments[i] as Segment;
    const list = raw.get(segment.site) ?? [];
    raw.set(segment.site, list);
    collect(view, segment, { own: own[i] as Candidate[], evidence, list });
  });
}

interface Collection {
  readonly own: readonly Candidate[];
  readonly evidence: Evidence;
  readonly list: Finding[];
}

/** Maps a segment's candidates, and what the conversation's evidence adds, to raw offsets. */
function collect(view: View, segment: Segment, { own, evidence, list }: Collection): void {
  const { message: since, quote, site } = segment;
  const push = (candidate: Candidate, known: number): void => {
    const { entity, score, key } = candidate;
    // What the evidence finds it often finds a second time.
    if (list.length > 2 * LIMIT.identifiers) throw new TooManyFindings();
    const start = rawOffset(segment, quote === undefined ? candidate.start : 0);
    const end = rawOffset(segment, quote === undefined ? candidate.end : segment.text.length);
    list.push({ site, start, end, entity, score, since: known, key, quote });
  };
  for (const candidate of own) push(candidate, since);
  findLookalikes(segment.text, (start, end) => push({ entity: 'other', start, end, score: 1 }, since));
  if (evidence.words.size === 0 || segment.field.code === true) return;
  let at = 0;
  applyEvidence(view, evidence, (candidate, known) => {
    // What a recognizer found the evidence mostly finds again: it would only be taken out later.
    while (at < own.length && (own[at] as Candidate).end <= candidate.start) at++;
    const covers = own[at];
    if (known <= since && covers !== undefined && isCovered(candidate, covers)) return;
    push(candidate, Math.max(known, since));
  });
}

function isCovered(candidate: Candidate, by: Candidate): boolean {
  return by.start <= candidate.start && candidate.end <= by.end && candidate.score <= by.score;
}
