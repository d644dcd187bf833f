import type { Entity, EntityAction } from '#contract/entity.ts';
import type { ScanSpan, ScanVerdict } from './scan-verdict.ts';

/** The text with each span in brackets and what becomes of it: `[Jane Roe → NAME_1a12]`, `[Jane Roe → kept]`. */
export function markSpans(text: string, spans: readonly ScanSpan[]): string {
  let out = '';
  let at = 0;
  for (const { start, end, action, surrogate } of spans) {
    const becomes = action === 'redact' ? surrogate : action === 'keep' ? 'kept' : 'refused';
    out += `${text.slice(at, start)}[${text.slice(start, end)} → ${becomes}]`;
    at = end;
  }
  return out + text.slice(at);
}

/** How many pieces of each entity were found, most first, and what becomes of them. */
export function tableOf({ spans, refusal, most }: ScanVerdict): string {
  const rows = countRows(spans);
  const width = Math.max(0, ...rows.map(([entity]) => entity.length));
  const digits = Math.max(0, ...rows.map(([, count]) => String(count).length));
  const said: Readonly<Record<EntityAction, string>> = {
    redact: '',
    keep: '  kept: the policy lets it pass',
    block: '  refused',
  };
  const table = rows.map(
    ([entity, count, action]) => `  ${entity.padEnd(width)}  ${String(count).padStart(digits)}${said[action]}`,
  );
  const decision =
    refusal === null
      ? []
      : [
          refusal.reason === 'too_many_identifiers'
            ? `refused: too_many_identifiers (${countThings(spans)} different ones${most === null ? '' : `, ${most} are allowed`})`
            : `refused: ${refusal.reason} (${refusal.entity ?? 'unknown'})`,
        ];
  return [rows.length === 0 ? 'no identifiers found' : 'identifiers found', ...table, ...decision].join('\n');
}

/** Different persons, places and numbers: a surrogate without the letters of its written form. */
function countThings(spans: readonly ScanSpan[]): number {
  return new Set(spans.map(({ surrogate }) => /^"?[A-Z]+_\d+/.exec(surrogate)?.[0])).size;
}

function countRows(spans: readonly ScanSpan[]): readonly (readonly [Entity, number, EntityAction])[] {
  const counts = new Map<Entity, [Entity, number, EntityAction]>();
  for (const { entity, action } of spans) {
    const row = counts.get(entity);
    if (row === undefined) counts.set(entity, [entity, 1, action]);
    else row[1]++;
  }
  return [...counts.values()].toSorted(([, a], [, b]) => b - a);
}
