import { LIMIT } from '#contract/limit.ts';
import { createAnthropicReader } from './anthropic-stream.ts';
import type { DialectId } from './dialect.ts';
import { scanJson } from './json-scan.ts';
import { createLanes } from './lane.ts';
import { createOpenaiReader } from './openai-stream.ts';
import type { EventReader, Session, StreamMeta, StreamOptions } from './stream-session.ts';
import { encodeUtf8 } from './splice.ts';
import { createSseFramer, type SseFrame } from './sse.ts';

/** What one push or the end gives. After a fault nothing more comes: the caller ends with an error event and a cut. */
export interface StreamStep {
  readonly out: readonly Uint8Array[];
  readonly fault?: 'response_unreadable';
}

/** A stage between the provider's stream and the caller's. */
export interface StreamRestorer {
  push(chunk: Uint8Array): StreamStep;
  /** The provider's stream is over. Held text comes out as it is; without a terminal event the caller must cut (T5). */
  end(): StreamStep;
  readonly meta: StreamMeta;
  /** Characters kept back in all lanes, because a surrogate may still be completing. */
  readonly held: number;
}

const READERS: Readonly<Record<DialectId, (session: Session) => EventReader>> = {
  'anthropic-messages': createAnthropicReader,
  'openai-chat': createOpenaiReader,
};

/**
 * Restores the text of an event stream as it passes. Each content block, choice and tool call has a lane of its own;
 * only a lane's own text waits for a surrogate to complete, and it comes out before that lane's terminator. Events
 * without anything to restore pass with their bytes unchanged. An event, block or delta that is not known is a fault.
 */
export function createStreamRestorer(dialect: DialectId, options: StreamOptions): StreamRestorer {
  const session: Session = {
    options,
    lanes: createLanes(options.restorer, LIMIT.streamLanes),
    meta: { terminal: 'none' },
  };
  const reader = READERS[dialect](session);
  const framer = createSseFramer();
  let isBroken = false;
  const step = (frames: readonly SseFrame[], last: () => string): StreamStep => {
    let text = '';
    for (const frame of isBroken ? [] : frames) {
      const out = readFrame(session, reader, frame);
      if (out === null) {
        isBroken = true;
        break;
      }
      text += out;
    }
    if (!isBroken) text += last();
    const out = text === '' ? [] : [encodeUtf8(text)];
    return isBroken ? { out, fault: 'response_unreadable' } : { out };
  };
  return {
    push: (chunk) => step(framer.push(chunk), () => ''),
    end: () => step(lastFrames(framer.rest()), () => (session.meta.terminal === 'none' ? reader.flush() : '')),
    get meta() {
      return session.meta;
    },
    get held() {
      return session.lanes.held();
    },
  };
}

/** An event without its blank line is one all the same when its data is complete; a half one never leaves. */
function lastFrames(rest: SseFrame | null): readonly SseFrame[] {
  if (rest?.kind !== 'event' || rest.data === null) return [];
  const isComplete = rest.data === '[DONE]' || scanJson(rest.data).kind === 'json';
  return isComplete ? [{ ...rest, raw: `${rest.raw.replace(/[\r\n]+$/, '')}\n\n` }] : [];
}

function readFrame(session: Session, reader: EventReader, frame: SseFrame): string | null {
  if (frame.kind === 'fault') return null;
  if (frame.kind === 'filler') return frame.raw;
  // Nothing may follow the end (T12): a client has stopped reading, so nobody would miss it.
  if (session.meta.terminal !== 'none') return '';
  if (frame.data === null) return frame.raw;
  return reader.read(frame);
}
