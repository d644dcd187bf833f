import { scanText } from '#phi/scan.ts';

/** What the engine finds in a text, as `entity: text`, with whole dates. */
export function found(text: string): string[] {
  return scanText(text, 'whole').spans.map((span) => `${span.entity}: ${text.slice(span.start, span.end)}`);
}

/** The pieces of one kind. */
export function foundOf(entity: string, text: string): string[] {
  return scanText(text, 'whole')
    .spans.filter((span) => span.entity === entity)
    .map((span) => text.slice(span.start, span.end));
}
