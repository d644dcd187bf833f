/** A span of time in ms since the epoch: `from` belongs to it, `until` does not. */
export interface Window {
  readonly from: number;
  readonly until: number;
}

export const DAY_MS = 86_400_000;

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^(\d{4}-\d{2}-\d{2})[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Reads a time of policy: RFC 3339 §5.6, or a bare date, which begins and ends with that day in UTC.
 * @param text `2026-11-30` or `2026-11-30T12:00:00Z`
 * @param edge whether a bare date stands for the first moment of its day or for the first moment after it
 * @returns ms since the epoch, or null when it is neither, or a day that no calendar has
 */
export function parseTime(text: string, edge: 'start' | 'end'): number | null {
  if (DATE.test(text)) {
    const start = calendarDay(text);
    return start === null ? null : edge === 'start' ? start : start + DAY_MS;
  }
  const day = TIME.exec(text)?.[1];
  if (day === undefined || calendarDay(day) === null) return null;
  const at = Date.parse(text.toUpperCase());
  return Number.isNaN(at) ? null : at;
}

/** Whether a moment lies in a window. */
export function isWithin(window: Window, now: number): boolean {
  return now >= window.from && now < window.until;
}

/** `Date.parse` takes the 30th of February for the 2nd of March: the round trip shows it. */
function calendarDay(text: string): number | null {
  const start = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(start) && new Date(start).toISOString().startsWith(text) ? start : null;
}
