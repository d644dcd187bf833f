import type { Entity } from '#contract/entity.ts';

/**
 * A piece of a site's text that is examined by itself: prose, or one value of a structure that stands in it.
 * Its text is decoded (JSON escapes, XML entities resolved), its spans are mapped back to the site's raw text.
 */
export interface Segment {
  /** Index of the site. */
  readonly site: number;
  readonly message: number;
  readonly text: string;
  /** Raw offset of each unit of `text` and of its end; absent where text and raw text agree from `offset` on. */
  readonly map?: Int32Array;
  /** Raw offset of the first unit. */
  readonly offset: number;
  /** What the field that holds the text says of it. */
  readonly field: FieldRule;
  /** The raw text is a JSON number: a surrogate for it needs this quote on both sides. */
  readonly quote?: string;
}

/** What a field's name says of its value. */
export interface FieldRule {
  /** The value is this kind of identifier as a whole. */
  readonly whole?: Entity;
  /** The value may hold this kind; recognizers take it as context. */
  readonly expects?: Entity;
  /** The value is one part of this whole: `ROE JANE` where the text is `ROE`. What the whole names is one thing. */
  readonly key?: string;
  /** Units before the value that only say what kind of value it is: `Patient/`, `urn:uuid:`. */
  readonly skip?: number;
  /** The value is base64 or hexadecimal of something. */
  readonly encoded?: true;
  /** The value is a public code, an OID, a unit: only unmistakable identifiers are looked for. */
  readonly code?: true;
}

export const PROSE: FieldRule = {};

/** Raw offset of a unit of a segment's text. */
export function rawOffset(segment: Segment, at: number): number {
  return segment.map === undefined ? segment.offset + at : (segment.map[at] as number);
}
