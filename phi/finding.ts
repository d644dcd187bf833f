import type { Entity } from '#contract/entity.ts';

/** An identifier at its place in a site's raw text. Findings of a site do not overlap. */
export interface Finding {
  readonly site: number;
  /** `[start, end)` in UTF-16 units of the site's text. */
  readonly start: number;
  readonly end: number;
  readonly entity: Entity;
  readonly score: number;
  /** The message that made it known: its own, or a later one that named what an earlier one had only mentioned. */
  readonly since: number;
  /** What makes two findings the same thing; the folded text when undefined. */
  readonly key: string | undefined;
  /** The raw text is a JSON number; the surrogate needs this quote on both sides. */
  readonly quote: string | undefined;
}
