import type { TextSite } from '#contract/text-site.ts';
import { fieldRule } from '../field.ts';
import { type FieldRule, PROSE, type Segment } from '../segment.ts';
import { decodeString, walkJson } from './json.ts';

/** How deep a structure inside a value of a structure is opened (JSON in a JSON string in a tool result). */
const MAX_NESTING = 3;
/** How often a text may be read again in vain for structures that do not end; then the rest is prose. */
const MAX_REREADS = 8;

/** Where a text comes from: which site, and how its units map to the site's raw text. */
export interface Origin {
  readonly site: number;
  readonly message: number;
  readonly map?: Int32Array;
  readonly offset: number;
  readonly depth: number;
  /** A double quote as it must be written here: JSON strings around the text escape it. */
  readonly quote: string;
}

/** Splits a site into the pieces that are examined by themselves, in text order. */
export function segmentSite(site: TextSite, index: number, into: Segment[]): void {
  const origin: Origin = { site: index, message: site.message, offset: 0, depth: 0, quote: '"' };
  const rule = site.field === undefined ? PROSE : fieldRule(site.field);
  if (site.format === 'json' && splitJson(site.text, origin, into)) return;
  splitText(site.text, rule, origin, into);
}

/** Splits a text into prose and the structures that stand in it. */
export function splitText(text: string, rule: FieldRule, origin: Origin, into: Segment[]): void {
  let prose = 0;
  if (origin.depth < MAX_NESTING) {
    let budget = text.length * MAX_REREADS;
    for (let at = nextStructure(text, 0); at >= 0 && budget > 0; at = nextStructure(text, at + 1)) {
      const collected: Segment[] = [];
      const end = jsonAt(text, at, origin, collected);
      if (end < 0) {
        budget -= Math.max(0, ~end - at);
        continue;
      }
      pushProse(text, prose, at, { rule, origin, into });
      for (const segment of collected) into.push(segment);
      prose = end;
      at = end - 1;
    }
  }
  pushProse(text, prose, text.length, { rule, origin, into });
}

/** Where a JSON object or array may begin. */
function nextStructure(text: string, from: number): number {
  const brace = text.indexOf('{', from);
  const bracket = text.indexOf('[', from);
  return brace < 0 || (bracket >= 0 && bracket < brace) ? bracket : brace;
}

/** @returns the end of the JSON text at an offset, or -1 when there is none worth a parse */
function jsonAt(text: string, at: number, origin: Origin, into: Segment[]): number {
  if (!/^(?:\{\s*"|\[\s*[[{"\d-])/.test(text.slice(at, at + 64))) return ~at;
  const end = walkJson(text, at, (leaf) => pushLeaf(text, leaf, origin, into));
  return end;
}

function splitJson(text: string, origin: Origin, into: Segment[]): boolean {
  const collected: Segment[] = [];
  const end = walkJson(text, 0, (leaf) => pushLeaf(text, leaf, origin, collected));
  if (end < 0 || text.slice(end).trim() !== '') return false;
  for (const segment of collected) into.push(segment);
  return true;
}

interface Target {
  readonly rule: FieldRule;
  readonly origin: Origin;
  readonly into: Segment[];
}

function pushProse(text: string, start: number, end: number, { rule, origin, into }: Target): void {
  if (end <= start) return;
  const { site, message } = origin;
  const map = origin.map?.subarray(start, end + 1);
  into.push({
    site,
    message,
    text: text.slice(start, end),
    offset: origin.offset + start,
    field: rule,
    ...(map === undefined ? {} : { map }),
  });
}

type Leaf = Parameters<Parameters<typeof walkJson>[2]>[0];

function pushLeaf(text: string, leaf: Leaf, origin: Origin, into: Segment[]): void {
  const inner = innerOrigin(text, leaf, origin);
  if (leaf.kind === 'key') {
    // A plain member name is schema; anything else may be a value used as a key.
    if (!/^[\w$@.-]{0,40}$/.test(inner.text) || /\d{4}|@/.test(inner.text))
      splitText(inner.text, PROSE, { ...inner.origin, depth: MAX_NESTING }, into);
    return;
  }
  const rule = leafRule(leaf);
  if (leaf.kind === 'number') {
    const { site, message, offset, map } = inner.origin;
    into.push({
      site,
      message,
      text: inner.text,
      offset,
      field: rule,
      quote: origin.quote,
      ...(map === undefined ? {} : { map }),
    });
    return;
  }
  splitText(inner.text, rule, inner.origin, into);
}

function leafRule(leaf: Leaf): FieldRule {
  const own = fieldRule(leaf.key);
  return own === PROSE && /^\d*$/.test(leaf.key) ? fieldRule(leaf.parent) : own;
}

/** The decoded text of a leaf and where it comes from. */
function innerOrigin(text: string, leaf: Leaf, origin: Origin): { readonly text: string; readonly origin: Origin } {
  const decoded = decodeString(text, leaf.start, leaf.end);
  const map =
    decoded.map === undefined
      ? origin.map?.subarray(leaf.start, leaf.end + 1)
      : decoded.map.map((raw) => origin.map?.[raw] ?? origin.offset + raw);
  return {
    text: decoded.text,
    origin: {
      site: origin.site,
      message: origin.message,
      offset: origin.offset + leaf.start,
      depth: origin.depth + 1,
      quote: JSON.stringify(origin.quote).slice(1, -1),
      ...(map === undefined ? {} : { map: map.subarray(0, decoded.text.length + 1) }),
    },
  };
}
