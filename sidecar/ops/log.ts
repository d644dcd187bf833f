import { type DestinationStream, type Logger, pino } from 'pino';
import { logShape } from '#contract/log-shape.ts';

/**
 * The program's log: one JSON object a line on stdout. Callers pass only words from closed vocabularies, numbers
 * and ids that we minted; a text of a prompt, header, path or user has no way here but by breaking that rule.
 * @param level pino level or `silent`
 */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = { level, timestamp: pino.stdTimeFunctions.isoTime, ...logShape('lazaret-sidecar') };
  return destination === undefined ? pino(options) : pino(options, destination);
}
