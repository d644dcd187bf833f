import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';

/** What every part of the program speaks through. */
export interface Runtime {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly version: string;
}
