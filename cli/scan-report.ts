import type { Entity } from '#contract/entity.ts';
import type { SurrogateSpan } from '#phi/span.ts';

/** The text with each span in brackets and its surrogate behind it: `[Jane Roe → NAME_1a12]`. */
export function markSpans(text: string, spans: readonly SurrogateSpan[]): string {
  let out = '';
  let at = 0;
  for (const { start, end, surrogate } of spans) {
    out += `${text.slice(at, start)}[${text.slice(start, end)} → ${surrogate}]`;
    at = end;
  }
  return out + text.slice(at);
}

/** How many pieces of each entity were found, most first. */
export function tableOf(counts: Readonly<Partial<Record<Entity, number>>>): string {
  const rows = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  if (rows.length === 0) return 'no identifiers found';
  const width = Math.max(...rows.map(([entity]) => entity.length));
  return ['identifiers found', ...rows.map(([entity, count]) => `  ${entity.padEnd(width)}  ${count}`)].join('\n');
}
