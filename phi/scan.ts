import type { Entity } from '#contract/entity.ts';
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
  if (redaction.kind === 'refused') return { redacted: '', spans: [], counts: {} };
  return { redacted: redaction.texts[0] ?? '', spans: redaction.spans[0] ?? [], counts: redaction.counts };
}
