import {
  anthropicError,
  anthropicMessage,
  anthropicMeta,
  citation,
  responseBlock,
  stopFields,
} from './anthropic-response.ts';
import { type Find, type Found, members, restoreEdits, startFound } from './found.ts';
import { scanJson } from './json-scan.ts';
import {
  decodeString,
  endOf,
  type JsonTree,
  kindOf,
  memberOf,
  memberString,
  numberOf,
  ROOT,
  startOf,
} from './json-tree.ts';
import { type EventReader, type Session, TAPE } from './stream-session.ts';
import { type Edit, splice } from './splice.ts';
import { type SseEvent, withData } from './sse.ts';

/** Deltas that carry text of a lane: the field, and how its text is written. */
const LANE_DELTAS = {
  text_delta: { field: 'text', form: 'text' },
  input_json_delta: { field: 'partial_json', form: 'json' },
} as const;

type LaneDelta = keyof typeof LANE_DELTAS;

/** Deltas of a stream by type: restored in a lane, restored at once, or left as they are. An unknown one is a fault. */
export const DELTAS: Readonly<Record<string, 'lane' | 'once' | 'locked' | 'opaque'>> = {
  text_delta: 'lane',
  input_json_delta: 'lane',
  citations_delta: 'once',
  thinking_delta: 'locked',
  signature_delta: 'opaque',
  compaction_delta: 'locked',
};

interface Context {
  readonly session: Session;
  readonly event: SseEvent;
  readonly tree: JsonTree;
}

/** Events of a stream by type. An unknown one is a fault. */
export const EVENTS: Readonly<Record<string, (context: Context) => string | null>> = {
  ping: ({ event }) => event.raw,
  error: readError,
  message_start: readMessageStart,
  content_block_start: readBlockStart,
  content_block_delta: readBlockDelta,
  content_block_stop: ({ session, event, tree }) => {
    const index = indexOf(tree);
    return index === null ? null : session.lanes.flush((key) => key.startsWith(`${index}:`)) + event.raw;
  },
  message_delta: readMessageDelta,
  message_stop: ({ session, event }) => {
    const held = session.lanes.flush(() => true);
    session.meta = { ...session.meta, terminal: 'complete' };
    return held + event.raw;
  },
};

/** Reads the events of an Anthropic Messages stream. */
export function createAnthropicReader(session: Session): EventReader {
  const tape = new Int32Array(TAPE);
  return {
    read: (event) => {
      const scan = scanJson(event.data ?? '', tape);
      if (scan.kind === 'fault') return null;
      const type = memberString(scan.tree, ROOT, 'type');
      // A client may go by the event's name or by its type; when they differ it reads what we did not.
      if (type === null || (event.name !== null && event.name !== type)) return null;
      const read = Object.hasOwn(EVENTS, type) ? EVENTS[type] : undefined;
      return read === undefined ? null : read({ session, event, tree: scan.tree });
    },
    flush: () => session.lanes.flush(() => true),
  };
}

function indexOf(tree: JsonTree): string | null {
  const node = memberOf(tree, ROOT, 'index');
  const index = node === null ? null : numberOf(tree, node);
  return index === null || !Number.isInteger(index) ? null : String(index);
}

/** Restores everything in an event at once: nothing of it continues in a later event. */
function restoreOnce(context: Context, node: number, find: Find): string | null {
  const found = startFound(context.tree);
  find(found, node);
  if (found.isUnknown) return null;
  return writeEdits(context, onceEdits(context, found));
}

function onceEdits({ session }: Context, found: Found): Edit[] {
  const { options } = session;
  for (const text of found.locked) options.onLocked?.(text, null);
  const texts = found.places.map((place) => {
    const restorer = options.restorer(place.form);
    return [...restorer.push(place.text), ...restorer.end()].join('');
  });
  return restoreEdits(found, texts, options);
}

function writeEdits({ event, tree }: Context, edits: readonly Edit[]): string {
  return edits.length === 0 ? event.raw : withData(event, splice(tree.text, edits));
}

function readError(context: Context): string | null {
  const held = context.session.lanes.flush(() => true);
  const out = restoreOnce(context, ROOT, anthropicError);
  context.session.meta = { ...context.session.meta, terminal: 'error' };
  return out === null ? null : held + out;
}

function readMessageStart(context: Context): string | null {
  const message = memberOf(context.tree, ROOT, 'message');
  if (message === null) return null;
  context.session.meta = { ...context.session.meta, ...anthropicMeta(context.tree, message) };
  return restoreOnce(context, message, anthropicMessage);
}

const deltaStop = members({ delta: members(stopFields) });

function readMessageDelta(context: Context): string | null {
  const { session, tree } = context;
  const delta = memberOf(tree, ROOT, 'delta');
  const usage = anthropicMeta(tree, ROOT).usage;
  const stop = delta === null ? {} : anthropicMeta(tree, delta);
  const held = session.lanes.flush(() => true);
  session.meta = {
    ...session.meta,
    ...(stop.stopReason === undefined ? {} : { stopReason: stop.stopReason }),
    ...(usage === undefined ? {} : { usage: { ...session.meta.usage, ...usage } }),
  };
  const out = restoreOnce(context, ROOT, deltaStop);
  return out === null ? null : held + out;
}

function readBlockStart(context: Context): string | null {
  const { session, tree } = context;
  const index = indexOf(tree);
  const block = memberOf(tree, ROOT, 'content_block');
  if (index === null || block === null) return null;
  const held = session.lanes.flush((key) => key.startsWith(`${index}:`));
  const found = startFound(tree);
  responseBlock(found, block);
  if (found.isUnknown) return null;
  // The text of a text block goes on in its deltas, so it must enter the lane and not be restored by itself.
  const opening = memberString(tree, block, 'type') === 'text' ? memberOf(tree, block, 'text') : null;
  const others = found.places.filter((place) => place.node !== opening);
  const edits = onceEdits(context, { ...found, places: others });
  if (opening === null || kindOf(tree, opening) !== 'string') return held + writeEdits(context, edits);
  const edit = feed(context, { index, delta: 'text_delta', node: opening });
  return edit === null ? null : held + writeEdits(context, [...edits, ...edit]);
}

function readBlockDelta(context: Context): string | null {
  const { session, event, tree } = context;
  const index = indexOf(tree);
  const delta = memberOf(tree, ROOT, 'delta');
  const type = delta === null ? null : memberString(tree, delta, 'type');
  if (index === null || delta === null || type === null || !Object.hasOwn(DELTAS, type)) return null;
  if (type === 'text_delta' || type === 'input_json_delta')
    return readLaneDelta(context, { index, delta: type, node: delta });
  if (type === 'citations_delta') return restoreOnce(context, delta, members({ citation }));
  const locked = memberString(tree, delta, 'thinking') ?? memberString(tree, delta, 'content');
  if (locked !== null) session.options.onLocked?.(locked, index);
  return event.raw;
}

interface Fed {
  readonly index: string;
  readonly delta: LaneDelta;
  readonly node: number;
}

function readLaneDelta(context: Context, fed: Fed): string | null {
  const node = memberOf(context.tree, fed.node, LANE_DELTAS[fed.delta].field);
  if (node === null || kindOf(context.tree, node) !== 'string') return null;
  const edits = feed(context, { ...fed, node });
  if (edits === null) return null;
  // A delta whose whole text waits is not sent at all: an event without data would break clients (T12).
  return edits[0]?.insert === '""' ? '' : writeEdits(context, edits);
}

/** Feeds a string to its lane. @returns the edit that puts what came out in its place, none when it is the same */
function feed({ session, tree }: Context, fed: Fed): Edit[] | null {
  const { field, form } = LANE_DELTAS[fed.delta];
  const text = decodeString(tree, fed.node);
  const write = (held: string): string => {
    const delta = JSON.stringify({ type: fed.delta, [field]: held });
    return `event: content_block_delta\ndata: {"type":"content_block_delta","index":${fed.index},"delta":${delta}}\n\n`;
  };
  const out = session.lanes.feed(`${fed.index}:${fed.delta}`, { form, write }, text);
  if (out === null) return null;
  return out === text
    ? []
    : [{ start: startOf(tree, fed.node), end: endOf(tree, fed.node), insert: JSON.stringify(out) }];
}
