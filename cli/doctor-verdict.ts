/** One thing that `lazaret doctor` says. `broken` is to be mended, `notice` is to be known. */
export interface Verdict {
  readonly check: CheckName;
  readonly level: 'ok' | 'notice' | 'broken';
  /** The state, one sentence. */
  readonly text: string;
  /** What to do; null when all is well. */
  readonly remedy: string | null;
}

/** What is looked at, in this order. */
export const CHECKS = [
  'release',
  'controller',
  'collector',
  'webhooks',
  'policies',
  'certificates',
  'keys',
  'nodes',
  'namespaces',
  'pods',
  'guards',
  'images',
  'agreements',
  'exemptions',
] as const;
export type CheckName = (typeof CHECKS)[number];

/** The verdicts of one check. */
export interface CheckReport {
  ok(text: string): void;
  notice(text: string, remedy: string): void;
  broken(text: string, remedy: string): void;
}

/** Runs one check. @returns its verdicts in the order they were given */
export function runCheck(check: CheckName, run: (report: CheckReport) => void): readonly Verdict[] {
  const verdicts: Verdict[] = [];
  run({
    ok: (text) => void verdicts.push({ check, level: 'ok', text, remedy: null }),
    notice: (text, remedy) => void verdicts.push({ check, level: 'notice', text, remedy }),
    broken: (text, remedy) => void verdicts.push({ check, level: 'broken', text, remedy }),
  });
  return verdicts;
}

const DAY = 86_400_000;

/** A time span for people: days beyond two days, else hours, else minutes. */
export function spanOf(ms: number): string {
  const [amount, unit] =
    ms >= 2 * DAY ? [ms / DAY, 'days'] : ms >= 7_200_000 ? [ms / 3_600_000, 'hours'] : [ms / 60_000, 'minutes'];
  return `${Math.max(0, Math.floor(amount))} ${unit}`;
}
