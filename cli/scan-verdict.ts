import type { Entity, EntityAction } from '#contract/entity.ts';
import { DetectorError } from '#phi/detector-error.ts';
import { type Redaction, redact, type RedactOptions } from '#phi/redact.ts';
import type { SurrogateSpan } from '#phi/span.ts';

/** A found piece and what becomes of it. */
export interface ScanSpan extends SurrogateSpan {
  readonly action: EntityAction;
}

/** Why an exchange with the text would be refused. */
export interface ScanRefusal {
  readonly reason: 'identifier_not_allowed' | 'too_many_identifiers';
  readonly entity?: Entity;
}

/** What the guard would do with a text. */
export interface ScanVerdict {
  /** null where the exchange is refused. */
  readonly redacted: string | null;
  /** Everything found, kept and refused pieces too, left to right. */
  readonly spans: readonly ScanSpan[];
  readonly refusal: ScanRefusal | null;
  readonly most: number | null;
}

/**
 * Examines one text as if it were the only message of a prompt.
 * @throws DetectorError where the text holds more than any request may
 */
export function judgeText(text: string, options: RedactOptions): ScanVerdict {
  const sites = [{ text, format: 'text', message: 1 }] as const;
  const { dates, actions, maxIdentifiers: most = null } = options;
  const open = redact(sites, { dates, actions: {} });
  if (open.kind === 'refused') throw new DetectorError('bounds');
  const plain = most === null && Object.keys(actions).length === 0;
  const closed = plain ? open : redact(sites, options);
  const spans = plain ? spansOf(open) : spansOf(open, actions, closed);
  if (closed.kind === 'redacted') return { redacted: closed.texts[0] ?? '', spans, refusal: null, most };
  const { reason, entity } = closed;
  return { redacted: null, spans, refusal: entity === undefined ? { reason } : { reason, entity }, most };
}

type Redacted = Extract<Redaction, { readonly kind: 'redacted' }>;

/** Everything that is found, with the surrogates of what the policy replaces. */
function spansOf(
  open: Redacted,
  actions: RedactOptions['actions'] = {},
  closed: Redaction = open,
): readonly ScanSpan[] {
  const all = open.spans[0] ?? [];
  if (closed === open)
    return all.map(({ start, end, entity, score, surrogate }) => ({
      start,
      end,
      entity,
      score,
      surrogate,
      action: 'redact',
    }));
  const given = new Map((closed.kind === 'redacted' ? (closed.spans[0] ?? []) : []).map((span) => [span.start, span]));
  return all.map(
    (span): ScanSpan => ({ ...(given.get(span.start) ?? span), action: actions[span.entity] ?? 'redact' }),
  );
}
