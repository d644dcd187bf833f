import type { Unopened } from './encoded.ts';
import type { Evidence } from './evidence.ts';
import type { Listed } from './listed.ts';
import type { Segment } from './segment.ts';
import type { DatePolicy } from './view.ts';

/** What an examination is told beside the text. */
export interface ExamineOptions {
  readonly dates: DatePolicy;
  readonly names?: Listed;
}

/** What is known where an encoded text stands. */
export interface Outer {
  /** How deep in base64. */
  readonly depth: number;
  readonly evidence: Evidence;
}

/** One examination at work. */
export interface Inquiry extends Outer {
  readonly options: ExamineOptions;
  /** Encoded text by the segment that it stands in. */
  readonly unopened: Map<Segment, Unopened[]>;
  /** Examines what encoded text of a segment says. @returns since which message it is known to hold an identifier, or undefined */
  readonly open: (text: string, segment: Segment, inquiry: Inquiry) => number | undefined;
}
