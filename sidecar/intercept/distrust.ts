import type { Host } from '#contract/brand.ts';
import { LIMIT } from '#contract/limit.ts';
import type { DistrustSign } from './options.ts';

/** Counts, for each terminated host, how often in a row clients turned away from our certificate. */
export interface DistrustLog {
  note(host: Host, sign: DistrustSign['sign']): void;
  /** A request came through: the clients of this host do trust us. */
  forget(host: Host): void;
  /** Whether clients turned away often enough that it is no accident. */
  isFinding(host: Host): boolean;
}

/** Signs in a row for one host that make the finding "pinning or vendored roots". */
const FINDING = 2;

/** @param report told each sign; from two in a row on it is the finding "pinning or vendored roots" */
export function createDistrustLog(report: (sign: DistrustSign) => void): DistrustLog {
  const inRow = new Map<Host, number>();
  return {
    note(host, sign) {
      const count = (inRow.get(host) ?? 0) + 1;
      inRow.delete(host);
      inRow.set(host, count);
      const [oldest] = inRow.keys();
      if (inRow.size > LIMIT.leafCache && oldest !== undefined) inRow.delete(oldest);
      report({ host, sign, inRow: count });
    },
    forget: (host) => void inRow.delete(host),
    isFinding: (host) => (inRow.get(host) ?? 0) >= FINDING,
  };
}
