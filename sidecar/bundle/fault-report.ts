import { LIMIT } from '#contract/limit.ts';

/** Tells each fault once, until everything is well again. */
export interface FaultReport {
  tell(sentence: string): void;
  /** What comes after this is news again. */
  clear(): void;
}

/** @param onFault told each sentence once; a peer that makes up ever new faults is not heard beyond `LIMIT.bundleFaults` */
export function createFaultReport(onFault: (sentence: string) => void): FaultReport {
  const told = new Set<string>();
  return {
    tell: (sentence) => {
      if (told.has(sentence) || told.size >= LIMIT.bundleFaults) return;
      told.add(sentence);
      onFault(sentence);
    },
    clear: () => told.clear(),
  };
}
