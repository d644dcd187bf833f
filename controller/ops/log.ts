import { type Logger, pino } from 'pino';
import { logShape } from '#contract/log-shape.ts';

/**
 * The program's log: one JSON object a line. Callers pass words of closed vocabularies, numbers and names of cluster
 * objects; the content of an object has no way here.
 * @param level pino level or `silent`
 */
export function createLog(level: string): Logger {
  return pino({ level, timestamp: pino.stdTimeFunctions.isoTime, ...logShape('lazaret-controller') });
}
