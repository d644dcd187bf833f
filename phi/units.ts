import { LIMIT } from '#contract/limit.ts';

/**
 * Code units of a text in an array. A look at a string goes through its representation each time; a look at an array costs a fraction of
 * that, and the copy is one call for the whole text.
 */

/** Below this the call costs more than the looks it spares. */
const MIN_COPY = 48;
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Texts up to this length share one array; longer ones get their own. */
const shared = new Uint16Array(LIMIT.keptUnits + 1);
const sharedBytes = Buffer.from(shared.buffer);

/**
 * @returns the units of the text from index 0 on, and a 0 behind them. The array is valid until the next call; whoever read it wipes it, so that no patient's
 * text outlives its exchange here.
 */
export function readUnits(text: string): Uint16Array {
  const { length } = text;
  const units = length <= LIMIT.keptUnits ? shared : new Uint16Array(length + 1);
  if (length < MIN_COPY || !LITTLE_ENDIAN) {
    for (let i = 0; i < length; i++) units[i] = text.charCodeAt(i);
    return units;
  }
  const bytes = units === shared ? sharedBytes : Buffer.from(units.buffer);
  bytes.write(text, 0, length * 2, 'utf16le');
  return units;
}
