/** Why a text is not one unambiguous JSON value. */
export type JsonFault = 'syntax' | 'duplicate_key' | 'depth' | 'size';

/** The letters of two-character escapes, by code unit. */
const SHORT = new Uint8Array(128);
for (const letter of '"\\/bfnrt') SHORT[letter.charCodeAt(0)] = 1;

/** What reading an escape can find out. */
interface EscapeFindings {
  readonly text: string;
  lone: boolean;
  fault: JsonFault | null;
}

/** Reads the escape that begins at `pos` (RFC 8259 §7). @returns the position after it */
export function scanEscape(scan: EscapeFindings, pos: number): number {
  const code = scan.text.charCodeAt(pos + 1);
  if (code !== 0x75) {
    if (SHORT[code] !== 1) scan.fault ??= 'syntax';
    return pos + 2;
  }
  const unit = hexUnit(scan.text, pos + 2);
  if (unit < 0) {
    scan.fault ??= 'syntax';
    return pos;
  }
  if (unit < 0xd800 || unit > 0xdfff) return pos + 6;
  const isPair = unit < 0xdc00 && scan.text.charCodeAt(pos + 6) === 0x5c && scan.text.charCodeAt(pos + 7) === 0x75;
  const low = isPair ? hexUnit(scan.text, pos + 8) : -1;
  if (low >= 0xdc00 && low <= 0xdfff) return pos + 12;
  scan.lone = true;
  return pos + 6;
}

function hexUnit(text: string, start: number): number {
  let unit = 0;
  for (let pos = start; pos < start + 4; pos += 1) {
    const code = text.charCodeAt(pos) | 0x20;
    const digit = code >= 0x30 && code <= 0x39 ? code - 0x30 : code >= 0x61 && code <= 0x66 ? code - 0x57 : -1;
    // `| 0x20` also folds 0x10-0x19 onto the digits; those are control characters.
    if (digit < 0 || text.charCodeAt(pos) < 0x30) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}
