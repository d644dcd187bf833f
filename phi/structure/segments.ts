import type { TextSite } from '#contract/text-site.ts';
import { fieldRule } from '../field.ts';
import { type FieldRule, PROSE, type Segment } from '../segment.ts';
import { createJsonContext, jsonRule, type JsonContext } from './fhir.ts';
import { decodeEscapes, DEFAULT_MARKS, type Marks } from './hl7-escape.ts';
import { mayHoldSegments, readSegment, segmentLines } from './hl7.ts';
import { joinSplitWords } from './inline-markup.ts';
import { decodeString, type JsonLeaf, walkJson } from './json.ts';
import { linesOf, type Range } from './lines.ts';
import { readTable } from './table.ts';
import { mayHoldTable } from './table-look.ts';
import { decodeReferences, looksLikeXml, readXml } from './xml.ts';

/** How deep a structure inside a value of a structure is opened (JSON in a JSON string in a tool result). */
const MAX_NESTING = 3;
/** How often a text may be read again in vain for structures that do not end; then the rest is prose. */
const MAX_REREADS = 8;

/** A text that is being split: where it comes from, and where its pieces go. */
interface Source {
  readonly text: string;
  readonly site: number;
  readonly message: number;
  /** Raw offset of each unit of the text and of its end; absent where they agree from `offset` on. */
  readonly map?: Int32Array;
  readonly offset: number;
  readonly depth: number;
  /** A double quote as it must be written here: JSON strings around the text escape it. */
  readonly quote: string;
  readonly into: Segment[];
}

/** Splits a site into the pieces that are examined by themselves, in text order. */
export function segmentSite(site: TextSite, index: number, into: Segment[]): void {
  const source: Source = { text: site.text, site: index, message: site.message, offset: 0, depth: 0, quote: '"', into };
  const rule = site.field === undefined ? PROSE : fieldRule(site.field);
  if (site.format === 'json') {
    const collected: Segment[] = [];
    const end = readJson({ ...source, into: collected }, 0);
    if (end >= 0 && site.text.slice(end).trim() === '') {
      for (const segment of collected) into.push(segment);
      return;
    }
  }
  splitText(source, rule);
}

/** Splits a text into prose and the structures that stand in it. */
function splitText(source: Source, rule: FieldRule): void {
  const joined = source.depth < MAX_NESTING ? joinSplitWords(source.text) : undefined;
  if (joined !== undefined) return splitText(inside(source, [0, source.text.length], joined), rule);
  const { text } = source;
  let prose = 0;
  if (source.depth < MAX_NESTING) {
    let budget = text.length * MAX_REREADS;
    const starts = structureStarts(text);
    for (let at = starts(0); at >= 0 && budget > 0; at = starts(at)) {
      const collected: Segment[] = [];
      const end = mayBegin(text, at) ? readStructure({ ...source, into: collected }, at) : ~at;
      if (end < 0) {
        budget -= Math.max(1, ~end - at);
        at++;
        continue;
      }
      splitLines(source, [prose, at], rule);
      for (const segment of collected) source.into.push(segment);
      prose = end;
      at = end;
    }
  }
  splitLines(source, [prose, text.length], rule);
}

/** Gives the next offset where JSON or XML may begin, at or behind an offset. Each mark is searched once over the text. */
function structureStarts(text: string): (from: number) => number {
  const next = ['{', '[', '<'].map((mark) => ({ mark, at: text.indexOf(mark) }));
  return (from) => {
    let best = -1;
    for (const each of next) {
      if (each.at >= 0 && each.at < from) each.at = text.indexOf(each.mark, from);
      if (each.at >= 0 && (best < 0 || each.at < best)) best = each.at;
    }
    return best;
  };
}

/** Whether a structure may begin at a mark: most brackets of prose are told by the unit behind them (`[doctor]`). */
function mayBegin(text: string, at: number): boolean {
  if (text.charCodeAt(at) === 60) return looksLikeXml(text, at);
  const next = text.charCodeAt(at + 1);
  return !((next | 32) >= 97 && (next | 32) <= 122) && /^(?:\{\s*"|\[\s*[[{"\d-])/.test(text.slice(at, at + 64));
}

/** @returns the end of the structure at an offset where one may begin, or the complement of how far it was read in vain */
function readStructure(source: Source, at: number): number {
  const { text } = source;
  if (text.charCodeAt(at) !== 60) return readJson(source, at);
  const end = readXml(text, at, ({ start, end: stop, rule }) => pushPiece(source, [start, stop], rule));
  return end > at ? end : ~at;
}

/** A text node or attribute: decoded, then split again, since it may hold anything. */
function pushPiece(source: Source, [start, end]: Range, rule: FieldRule): void {
  const decoded = decodeReferences(source.text, start, end);
  pushValue(inside(source, [start, end], decoded), rule);
}

/** A decoded value: what its field says it is, behind what only says its kind. */
function pushValue(piece: Source, rule: FieldRule): void {
  if (rule.skip === undefined) splitText(piece, rule);
  else pushSegment(piece, [rule.skip, piece.text.length], rule);
}

function readJson(source: Source, at: number): number {
  const context = createJsonContext();
  return walkJson(source.text, at, (leaf) => pushLeaf(source, leaf, context));
}

function pushLeaf(source: Source, leaf: JsonLeaf, context: JsonContext): void {
  const inner = {
    ...inside(source, [leaf.start, leaf.end], decodeString(source.text, leaf.start, leaf.end)),
    quote: JSON.stringify(source.quote).slice(1, -1),
  };
  if (leaf.kind === 'key') {
    // A plain member name is schema; anything else may be a value used as a key.
    if (!/^[\w$@.-]{0,40}$/.test(inner.text) || /\d{4}|@/.test(inner.text))
      splitText({ ...inner, depth: MAX_NESTING }, PROSE);
    return;
  }
  const rule = jsonRule(leaf, inner.text, context);
  if (leaf.kind === 'number') pushSegment(inner, [0, inner.text.length], rule, source.quote);
  else pushValue(inner, rule);
}

/** A decoded piece of a text as a text of its own. */
function inside(
  source: Source,
  [start, end]: Range,
  decoded: { readonly text: string; readonly map?: Int32Array },
): Source {
  const { map: outer, ...rest } = source;
  const map =
    decoded.map === undefined
      ? outer?.subarray(start, end + 1)
      : decoded.map.map((raw) => outer?.[raw] ?? source.offset + raw);
  return {
    ...rest,
    text: decoded.text,
    offset: source.offset + start,
    depth: source.depth + 1,
    ...(map === undefined ? {} : { map: map.subarray(0, decoded.text.length + 1) }),
  };
}

/** HL7 segments and tables stand on lines; what is neither is prose. */
function splitLines(source: Source, [start, end]: Range, rule: FieldRule): void {
  if (end <= start) return;
  const text = source.text;
  const part = start === 0 && end === text.length ? text : text.slice(start, end);
  const hl7 = mayHoldSegments(part);
  const table = !hl7 && mayHoldTable(part);
  if (source.depth >= MAX_NESTING || (!hl7 && !table)) return pushSegment(source, [start, end], rule);
  const lines = hl7 ? segmentLines(part, start) : linesOf(part, start);
  let prose = start;
  let marks: Marks | undefined;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as Range;
    const collected: [Range, FieldRule][] = [];
    const take = (piece: { readonly start: number; readonly end: number; readonly rule: FieldRule }): void =>
      void collected.push([[piece.start, piece.end], piece.rule]);
    const read = hl7 ? readSegment(text, line, marks, take) : undefined;
    const rows = hl7 ? (read === undefined ? 0 : 1) : readTable(text, lines, i, take);
    if (rows === 0) continue;
    if (hl7) marks = read;
    pushSegment(source, [prose, hl7 ? line[0] : line[1]], rule);
    for (const [range, own] of collected) {
      if (hl7) pushField(source, range, own, marks ?? DEFAULT_MARKS);
      else pushSegment(source, range, own);
    }
    prose = lines[i + rows - 1]?.[1] ?? end;
    i += rows - 1;
  }
  pushSegment(source, [prose, end], rule);
}

/** Codes shorter than this hold nothing that is unmistakable. */
const MIN_CODE = 7;

/** A piece of an HL7 field, its escape sequences resolved; text in it may hold anything. */
function pushField(source: Source, range: Range, rule: FieldRule, marks: Marks): void {
  if (rule.code === true && range[1] - range[0] < MIN_CODE) return;
  const piece = inside(source, range, decodeEscapes(source.text, range, marks));
  if (rule === PROSE) splitText(piece, rule);
  else pushSegment(piece, [0, piece.text.length], rule);
}

/** HTML in prose: `Sean O&#39;Brien`. */
const REFERENCE = /&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|\w{1,8});/;

function pushSegment(source: Source, [start, end]: Range, rule: FieldRule, quote?: string): void {
  if (end <= start) return;
  const text = source.text.slice(start, end);
  const own = { site: source.site, message: source.message, field: rule };
  // Once: what decodes to another reference is text that only looks like one, and decoding it again and again would take for ever.
  if (quote === undefined && text.includes('&') && REFERENCE.test(text)) {
    const { text: decoded, map, offset } = inside(source, [start, end], decodeReferences(source.text, start, end));
    source.into.push({ ...own, text: decoded, offset, ...(map === undefined ? {} : { map }) });
    return;
  }
  const map = source.map?.subarray(start, end + 1);
  source.into.push({
    ...own,
    text,
    offset: source.offset + start,
    ...(map === undefined ? {} : { map }),
    ...(quote === undefined ? {} : { quote }),
  });
}
