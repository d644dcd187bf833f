import type { Entity } from '#contract/entity.ts';
import { CLASS_OF, DIGIT, FOLD_OF, GAP, GAP_OF, LETTER } from './character.ts';
import { FORM } from './form.ts';
import { INITIAL, LOWER, MIXED, NUMBER, WORD } from './lexer.ts';
import type { Candidate } from './span.ts';
import { CELL } from './tokens.ts';

// Bound here: what a module imports it looks up at every use, while what it declares as a constant is compiled as one. In the recognizers, which
// ask for bits all the time, this is a tenth of their time.
const { BITS, START, END, HASH, FLAGS, FORM: FORMS, GAP: GAPS_BEFORE } = CELL;
const { KIND, SHAPE, SHAPES, PLAIN, LABEL, LABELS, CAPITAL } = FORM;

/** How dates are redacted: day and month only, or the year too. */
export type DatePolicy = 'keep-year' | 'whole';

/**
 * One segment as recognizers see it: its text, its tokens `[from, to)`, and where to put what they find. A recognizer looks at one token and
 * what stands around it, and returns the index of the last token it used, or the given index.
 */
export interface View {
  readonly text: string;
  /** What is known of its tokens (tokens.ts). */
  readonly cells: Int32Array;
  readonly from: number;
  readonly to: number;
  readonly dates: DatePolicy;
  /** What the field that holds the text says its value is; undefined in prose. */
  readonly expects: Entity | undefined;
  readonly found: Candidate[];
}

/** Notes a candidate over `[start, end)` of the text. */
export function emit(view: View, entity: Entity, range: readonly [start: number, end: number], score: number): void {
  // Not taken apart: that asks an iterator wherever this is not compiled into its caller.
  const start = range[0];
  const end = range[1];
  if (end > start) view.found.push({ entity, start, end, score });
}

/** The gap before a token, or -1 when it is outside the segment. */
export function gapBefore(view: View, at: number): number {
  return at > view.from && at < view.to ? (view.cells[(at << BITS) + GAPS_BEFORE] as number) : -1;
}

/** Units between a token and the one before. */
export function distance(view: View, at: number): number {
  return at > view.from && at < view.to ? startOf(view, at) - endOf(view, at - 1) : -1;
}

export function flagsAt(view: View, at: number): number {
  return at >= view.from && at < view.to ? (view.cells[(at << BITS) + FLAGS] as number) : 0;
}

export function labelAt(view: View, at: number): number {
  return at >= view.from && at < view.to ? ((view.cells[(at << BITS) + FORMS] as number) >> LABEL) & LABELS : 0;
}

/** Kind, shape, label and more (form.ts). */
export function formAt(view: View, at: number): number {
  return at >= view.from && at < view.to ? (view.cells[(at << BITS) + FORMS] as number) : 0;
}

export function kindAt(view: View, at: number): number {
  return at >= view.from && at < view.to ? (view.cells[(at << BITS) + FORMS] as number) & KIND : 0;
}

export function hashAt(view: View, at: number): number {
  return at >= view.from && at < view.to ? (view.cells[(at << BITS) + HASH] as number) : 0;
}

export function shapeAt(view: View, at: number): number {
  return at >= view.from && at < view.to ? ((view.cells[(at << BITS) + FORMS] as number) >> SHAPE) & SHAPES : 0;
}

export function startOf(view: View, at: number): number {
  return view.cells[(at << BITS) + START] as number;
}

export function endOf(view: View, at: number): number {
  return view.cells[(at << BITS) + END] as number;
}

export function lengthAt(view: View, at: number): number {
  return at >= view.from && at < view.to ? endOf(view, at) - startOf(view, at) : 0;
}

/** The token folded: lower case, no diacritics, no apostrophes. */
export function wordAt(view: View, at: number): string {
  if (at < view.from || at >= view.to) return '';
  const word = view.text.slice(startOf(view, at), endOf(view, at));
  const form = view.cells[(at << BITS) + FORMS] as number;
  if ((form & PLAIN) === 0) return fold(word);
  return ((form >> SHAPE) & SHAPES) === LOWER ? word : word.toLowerCase();
}

const GAPS = /[^A-Za-z0-9]+/g;

/** Letters and digits of a text folded, everything else dropped. */
export function fold(text: string): string {
  let plain = true;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return foldUnits(text);
    if (GAP_OF[code] !== 0) plain = false;
  }
  return (plain ? text : text.replaceAll(GAPS, '')).toLowerCase();
}

function foldUnits(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const type = CLASS_OF[code];
    if (type === LETTER || type === DIGIT) out += String.fromCharCode(FOLD_OF[code] as number);
  }
  return out;
}

export function isNumber(view: View, at: number): boolean {
  return kindAt(view, at) === NUMBER;
}

export function isWord(view: View, at: number): boolean {
  return kindAt(view, at) === WORD;
}

export function isMixed(view: View, at: number): boolean {
  return kindAt(view, at) === MIXED;
}

/** A word of two letters or more that begins with an upper-case letter. */
export function isCapitalised(view: View, at: number): boolean {
  return at >= view.from && at < view.to && ((view.cells[(at << BITS) + FORMS] as number) & CAPITAL) !== 0;
}

/** Kind and shape of one upper-case letter. */
const AN_INITIAL = WORD | (INITIAL << SHAPE);
const IS_INITIAL = KIND | (SHAPES << SHAPE);

export function isInitial(view: View, at: number): boolean {
  return at >= view.from && at < view.to && ((view.cells[(at << BITS) + FORMS] as number) & IS_INITIAL) === AN_INITIAL;
}

/** The value of a token of up to nine digits; -1 for any other token. */
export function numberAt(view: View, at: number): number {
  if (kindAt(view, at) !== NUMBER || lengthAt(view, at) > 9) return -1;
  if (((view.cells[(at << BITS) + FORMS] as number) & PLAIN) === 0) return Number(wordAt(view, at));
  const end = endOf(view, at);
  let value = 0;
  for (let i = startOf(view, at); i < end; i++) value = value * 10 + view.text.charCodeAt(i) - 48;
  return value;
}

/** The single code unit between a token and the one before; 0 when there is none or more than one. */
export function separator(view: View, at: number): number {
  return distance(view, at) === 1 ? view.text.charCodeAt(startOf(view, at) - 1) : 0;
}

/** Whether the token begins a line or a sentence, so that its capital says nothing. */
export function beginsSentence(view: View, at: number): boolean {
  if (at <= view.from) return true;
  const gap = gapBefore(view, at);
  return (gap & (GAP.NEWLINE | GAP.END | GAP.PERIOD)) !== 0;
}
