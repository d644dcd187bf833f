import { LIMIT } from '#contract/limit.ts';
import type { Transducer } from '#contract/transducer.ts';

/** One event of an event stream (HTML Living Standard §9.2.6), with its text as it came. */
export interface SseEvent {
  readonly kind: 'event';
  /** The `event` field, null when there is none. */
  readonly name: string | null;
  /** The `data` lines joined by line feeds, null when there is none. */
  readonly data: string | null;
  readonly raw: string;
}

/** What stands between events: blank lines. It may pass as it is. */
export interface SseFiller {
  readonly kind: 'filler';
  readonly raw: string;
}

/** The stream is not UTF-8, an event exceeds `LIMIT.eventBytes`, or a line is no field of an event stream. */
export interface SseFault {
  readonly kind: 'fault';
}

export type SseFrame = SseEvent | SseFiller | SseFault;

/** A framer; `end` gives an event that lacks its blank line, or half of one, as `rest`. */
export interface SseFramer extends Transducer<Uint8Array, SseFrame> {
  /** What follows the last complete event; only after `end`. */
  readonly rest: () => SseFrame | null;
}

interface Framing {
  readonly decoder: TextDecoder;
  /** Text of the event at hand from earlier chunks. */
  pieces: string[];
  size: number;
  /** Nothing of the line at hand has come yet. */
  isLineStart: boolean;
  /** The event at hand has a line. */
  hasLine: boolean;
  isFirst: boolean;
  isBroken: boolean;
  frames: SseFrame[];
}

/**
 * Cuts an event stream into events. Lines end with LF, CR or CRLF; where the network cut the bytes does not matter.
 * Joined, the raw texts of all frames are the stream. The LF of a CRLF that ends an event is a filler of its own, so
 * that an event is complete at its CR and needs not wait for a byte that may never come.
 */
export function createSseFramer(): SseFramer {
  const framing: Framing = {
    decoder: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
    pieces: [],
    size: 0,
    isLineStart: true,
    hasLine: false,
    isFirst: true,
    isBroken: false,
    frames: [],
  };
  return {
    push: (chunk) => pushChunk(framing, chunk),
    end: () => [],
    rest: () => restOf(framing),
  };
}

function pushChunk(framing: Framing, chunk: Uint8Array): readonly SseFrame[] {
  if (framing.isBroken) return [{ kind: 'fault' }];
  framing.frames = [];
  try {
    takeText(framing, framing.decoder.decode(chunk, { stream: true }));
  } catch {
    breakOff(framing);
  }
  return framing.frames;
}

function breakOff(framing: Framing): void {
  framing.isBroken = true;
  framing.pieces = [];
  framing.frames.push({ kind: 'fault' });
}

function takeText(framing: Framing, text: string): void {
  let from = 0;
  let pos = 0;
  while (pos < text.length && !framing.isBroken) {
    const code = text.charCodeAt(pos);
    if (code !== 0x0a && code !== 0x0d) {
      framing.isLineStart = false;
      framing.hasLine = true;
      pos = lineEnd(text, pos);
      continue;
    }
    pos += 1;
    const isBlank = framing.isLineStart && !completesCrLf(framing, text, { from, pos, code });
    framing.isLineStart = true;
    if (isBlank || !framing.hasLine) {
      dispatch(framing, text.slice(from, pos));
      from = pos;
    }
  }
  if (framing.isBroken) return;
  framing.size += text.length - from;
  if (framing.size > LIMIT.eventBytes) breakOff(framing);
  else if (from < text.length) framing.pieces.push(text.slice(from));
}

/** Whether the line end before `pos` is the LF of a CRLF whose CR ended the line already. */
function completesCrLf(
  framing: Framing,
  text: string,
  at: { readonly from: number; readonly pos: number; readonly code: number },
): boolean {
  if (at.code !== 0x0a) return false;
  if (at.pos - 2 >= at.from) return text.charCodeAt(at.pos - 2) === 0x0d;
  return framing.pieces.at(-1)?.endsWith('\r') === true;
}

function lineEnd(text: string, from: number): number {
  let pos = from;
  for (;;) {
    const code = text.charCodeAt(pos);
    if (code === 0x0a || code === 0x0d || Number.isNaN(code)) return pos;
    pos += 1;
  }
}

function dispatch(framing: Framing, last: string): void {
  const raw = framing.pieces.length === 0 ? last : framing.pieces.join('') + last;
  const size = framing.size + last.length;
  const hasLine = framing.hasLine;
  framing.pieces = [];
  framing.size = 0;
  framing.hasLine = false;
  if (size > LIMIT.eventBytes) breakOff(framing);
  else if (!hasLine) framing.frames.push({ kind: 'filler', raw });
  else {
    const frame = parseEvent(raw, framing.isFirst);
    framing.isFirst = false;
    if (frame.kind === 'fault') breakOff(framing);
    else framing.frames.push(frame);
  }
}

function restOf(framing: Framing): SseFrame | null {
  if (framing.isBroken || !framing.hasLine) return null;
  return parseEvent(framing.pieces.join(''), framing.isFirst);
}

const LINE = /\r\n|\n|\r/;
const FIELDS = new Set(['event', 'data', 'id', 'retry', '']);

function parseEvent(raw: string, isFirst: boolean): SseEvent | SseFault {
  let name: string | null = null;
  let data: string | null = null;
  // One byte order mark may open the stream (§9.2.5); it belongs to no field.
  for (const line of (isFirst && raw.startsWith('\uFEFF') ? raw.slice(1) : raw).split(LINE)) {
    if (line === '') continue;
    const [field, value] = parseField(line);
    // A reader that knows more fields than we do would read more than we examined.
    if (!FIELDS.has(field)) return { kind: 'fault' };
    if (field === 'event') name = value;
    else if (field === 'data') data = data === null ? value : `${data}\n${value}`;
  }
  return { kind: 'event', name, data, raw };
}

function parseField(line: string): readonly [field: string, value: string] {
  const colon = line.indexOf(':');
  if (colon < 0) return [line, ''];
  return [line.slice(0, colon), line.slice(line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1)];
}

/** @returns the event's text with other data; all its other lines and its line ends stay */
export function withData(event: SseEvent, data: string): string {
  if (event.data === null || data === event.data) return event.raw;
  const at = event.raw.indexOf(event.data);
  if (!event.data.includes('\n') && event.data !== '' && event.raw.indexOf(event.data, at + 1) < 0) {
    return event.raw.slice(0, at) + data + event.raw.slice(at + event.data.length);
  }
  return rebuild(event, data);
}

/** Data over several lines (between JSON tokens): the first data line carries all of it, the others go. */
function rebuild(event: SseEvent, data: string): string {
  let isWritten = false;
  return event.raw.replace(/([^\r\n]*)(\r\n|\n|\r|$)/g, (line: string, text: string, ending: string) => {
    if (parseField(text.replace(/^\uFEFF/, ''))[0] !== 'data' || text === '') return line;
    if (isWritten) return '';
    isWritten = true;
    return `data: ${data.replaceAll('\n', ' ')}${ending}`;
  });
}
