import type { RestoreForm } from '#contract/text-site.ts';
import type { Lanes, LaneRestorer } from './lane.ts';
import type { ResponseMeta, ResponseOptions } from './response.ts';
import type { SseEvent } from './sse.ts';

/** Numbers of memory for the tree of one event; a larger event gets its own. */
export const TAPE = 3 * 512;

/** What restoring a stream needs. */
export interface StreamOptions extends ResponseOptions {
  /** Makes a restorer for one lane; `json` when the text is the inside of JSON. */
  readonly restorer: (form: RestoreForm) => LaneRestorer;
  /** Receives text that stays as it is (thinking): a piece of the block of that index, or (null) a whole text. */
  readonly onLocked?: (text: string, block: string | null) => void;
}

/** What a stream has told so far. */
export interface StreamMeta extends ResponseMeta {
  /** How the stream ended: not yet, as the API ends it (`message_stop`, `[DONE]`), or with an error event. */
  readonly terminal: 'none' | 'complete' | 'error';
}

/** The state that the readers of both dialects share. */
export interface Session {
  readonly options: StreamOptions;
  readonly lanes: Lanes;
  meta: StreamMeta;
}

/** Turns one event into what the caller gets instead. */
export interface EventReader {
  /** @returns text of zero or more events; null when the event is not known completely */
  read(event: SseEvent): string | null;
  /** Ends all lanes. @returns events that carry what they held */
  flush(): string;
}
