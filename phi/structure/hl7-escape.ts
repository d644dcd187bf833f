/** The characters that separate the parts of an HL7 v2 message, as its MSH-1 and MSH-2 name them (HL7 v2.5.1 §2.5.4). */
export interface Marks {
  readonly field: string;
  readonly component: string;
  readonly repeat: string;
  readonly escape: string;
  readonly sub: string;
}

export const DEFAULT_MARKS: Marks = { field: '|', component: '^', repeat: '~', escape: '\\', sub: '&' };

/** @param start where an MSH, FHS or BHS segment begins */
export function readMarks(text: string, start: number): Marks {
  const field = markAt(text, start + 3) ?? DEFAULT_MARKS.field;
  const { component, repeat, escape, sub } = DEFAULT_MARKS;
  // Fewer than four: what is left out is not used in the message.
  const [first = component, second = repeat, third = escape, fourth = sub] = encodingCharacters(text, start + 4, field);
  return { field, component: first, repeat: second, escape: third, sub: fourth };
}

function encodingCharacters(text: string, from: number, field: string): readonly string[] {
  const list: string[] = [];
  for (let at = from; at < from + 4; at++) {
    const mark = markAt(text, at);
    if (mark === undefined || mark === field) break;
    list.push(mark);
  }
  return list;
}

function markAt(text: string, at: number): string | undefined {
  const char = text.charAt(at);
  return /[^\w\s]/.test(char) ? char : undefined;
}

/** Longest escape sequence that is decoded: `\X…\` of some characters, `\.sp2\`. */
const MAX_ESCAPE = 64;

/** What a field reads like once its escape sequences are resolved (HL7 v2.5.1 §2.7), each repetition on a line of its own. */
export function decodeEscapes(
  text: string,
  [start, end]: readonly [number, number],
  marks: Marks,
): { readonly text: string; readonly map?: Int32Array } {
  const plain = text.slice(start, end);
  if (!plain.includes(marks.escape) && !plain.includes(marks.repeat)) return { text: plain };
  const offsets: number[] = [];
  let out = '';
  for (let at = start; at < end; ) {
    const char = text.charAt(at);
    const stop = char === marks.escape ? text.slice(at + 1, Math.min(end, at + MAX_ESCAPE)).indexOf(marks.escape) : -1;
    const decoded = stop < 0 ? undefined : decodeOne(text.slice(at + 1, at + 1 + stop), marks);
    const piece = decoded ?? (char === marks.repeat ? '\n' : char);
    for (let unit = 0; unit < piece.length; unit++) offsets.push(at);
    out += piece;
    at += decoded === undefined ? 1 : stop + 2;
  }
  offsets.push(end);
  return { text: out, map: Int32Array.from(offsets) };
}

/** @returns undefined for what is no escape sequence: the mark then stands for itself */
function decodeOne(code: string, { field, component, repeat, escape, sub }: Marks): string | undefined {
  switch (code) {
    case 'F':
      return field;
    case 'S':
      return component;
    case 'R':
      return repeat;
    case 'E':
      return escape;
    case 'T':
      return sub;
    case 'H':
    case 'N':
      return '';
    default:
      if (/^X(?:[0-9A-Fa-f]{2})+$/.test(code)) return decodeHex(code.slice(1));
      if (/^(?:\.br|\.sp\d*|\.ce)$/.test(code)) return '\n';
      return /^(?:\.(?:fi|nf|in[+-]?\d*|ti[+-]?\d*|sk\d*)|[CM][0-9A-Fa-f]{4,6}|Z\w*)$/.test(code) ? ' ' : undefined;
  }
}

/** UTF-8 where it is; else each byte is a character of Latin-1. */
function decodeHex(digits: string): string {
  const bytes = Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return String.fromCharCode(...bytes);
  }
}
