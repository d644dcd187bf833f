import type { Entity } from '#contract/entity.ts';
import { TooManyFindings } from './detector-error.ts';
import { redact } from './redact.ts';
import type { SurrogateSpan } from './span.ts';
import type { DatePolicy } from './view.ts';

/** What a scan of one text found. */
export interface ScanResult {
  readonly redacted: string;
  readonly spans: readonly SurrogateSpan[];
  readonly counts: Readonly<Partial<Record<Entity, number>>>;
}

/** Examines one text as if it were the only message of a prompt. @throws DetectorError as {@link redact} does */
export function scanText(text: string, dates: DatePolicy): ScanResult {
  const redaction = redact([{ text, format: 'text', message: 1 }], { dates, actions: {} });
  // Nothing else refuses without a policy; an empty result would read as a text without findings.
  if (redaction.kind === 'refused') throw new TooManyFindings();
  return { redacted: redaction.texts[0] ?? '', spans: redaction.spans[0] ?? [], counts: redaction.counts };
}
