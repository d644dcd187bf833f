import type { RestoreForm } from '#contract/text-site.ts';
import { type Find, restoreEdits, startFound } from './found.ts';
import { scanJson } from './json-scan.ts';
import {
  decodeString,
  eachElement,
  endOf,
  type JsonTree,
  kindOf,
  memberOf,
  memberString,
  numberOf,
  rawOf,
  ROOT,
  startOf,
} from './json-tree.ts';
import { annotations, openaiError, openaiMeta } from './openai-response.ts';
import { type EventReader, type Session, TAPE } from './stream-session.ts';
import { type Edit, splice } from './splice.ts';
import { type SseEvent, withData } from './sse.ts';

interface Chunk {
  readonly session: Session;
  readonly event: SseEvent;
  readonly tree: JsonTree;
  /** `id`, `created`, `model` and the like as this chunk has them, for chunks of our own. */
  readonly envelope: () => string;
  readonly edits: Edit[];
  /** Chunks of our own that must come before this one. */
  before: string;
}

/** Text fields of `delta` that have a lane for each choice. */
const DELTA_FIELDS = ['content', 'refusal', 'reasoning_content', 'reasoning'] as const;
const ENVELOPE = ['id', 'object', 'created', 'model', 'system_fingerprint', 'service_tier'] as const;

/** Reads the chunks of a Chat Completions stream. */
export function createOpenaiReader(session: Session): EventReader {
  const flush = (): string => session.lanes.flush(() => true);
  const tape = new Int32Array(TAPE);
  return {
    read: (event) => {
      if (event.data === '[DONE]') {
        const held = flush();
        session.meta = { ...session.meta, terminal: 'complete' };
        return held + event.raw;
      }
      const scan = scanJson(event.data ?? '', tape);
      if (scan.kind === 'fault') return null;
      const chunk: Chunk = {
        session,
        event,
        tree: scan.tree,
        envelope: () => envelopeOf(scan.tree),
        edits: [],
        before: '',
      };
      return readChunk(chunk) ? chunk.before + write(chunk) : null;
    },
    flush,
  };
}

function write({ event, tree, edits }: Chunk): string {
  return edits.length === 0 ? event.raw : withData(event, splice(tree.text, edits));
}

function envelopeOf(tree: JsonTree): string {
  const fields: string[] = [];
  for (const name of ENVELOPE) {
    const node = memberOf(tree, ROOT, name);
    if (node !== null) fields.push(`"${name}":${rawOf(tree, node)},`);
  }
  return fields.join('');
}

/** @returns false when the chunk is not known completely */
function readChunk(chunk: Chunk): boolean {
  const { session, tree } = chunk;
  const error = memberOf(tree, ROOT, 'error');
  if (error !== null && kindOf(tree, error) !== 'null') return readError(chunk, error);
  const choices = memberOf(tree, ROOT, 'choices');
  if (choices === null || kindOf(tree, choices) !== 'array') return false;
  const meta = openaiMeta(tree);
  session.meta = { ...session.meta, ...meta };
  let isKnown = true;
  eachElement(tree, choices, (choice) => {
    isKnown = isKnown && readChoice(chunk, choice);
  });
  return isKnown;
}

function readError(chunk: Chunk, error: number): boolean {
  chunk.before += chunk.session.lanes.flush(() => true);
  chunk.session.meta = { ...chunk.session.meta, terminal: 'error' };
  return restoreOnce(chunk, error, openaiError);
}

function restoreOnce({ session, tree, edits }: Chunk, node: number, find: Find): boolean {
  const found = startFound(tree);
  find(found, node);
  const texts = found.places.map((place) => {
    const restorer = session.options.restorer(place.form);
    return [...restorer.push(place.text), ...restorer.end()].join('');
  });
  edits.push(...restoreEdits(found, texts, session.options));
  return !found.isUnknown;
}

function readChoice(chunk: Chunk, choice: number): boolean {
  const { session, tree } = chunk;
  const at = memberOf(tree, choice, 'index');
  const index = at === null ? null : numberOf(tree, at);
  if (index === null || !Number.isInteger(index)) return false;
  const finish = memberOf(tree, choice, 'finish_reason');
  const isLast = finish !== null && kindOf(tree, finish) !== 'null';
  const delta = memberOf(tree, choice, 'delta');
  if (delta !== null && kindOf(tree, delta) !== 'null' && !readDelta(chunk, delta, { choice: index, isLast }))
    return false;
  if (isLast) chunk.before += session.lanes.flush((key) => key.startsWith(`${String(index)}:`));
  return true;
}

/** The choice at hand; a lane that its last chunk feeds is ended in that chunk. */
interface Choice {
  readonly choice: number;
  readonly isLast: boolean;
}

function readDelta(chunk: Chunk, delta: number, choice: Choice): boolean {
  const { tree } = chunk;
  if (kindOf(tree, delta) !== 'object') return false;
  for (const field of DELTA_FIELDS) {
    const node = memberOf(tree, delta, field);
    const lane = { key: field, form: 'text', wrap: (text: string) => `{"${field}":${text}}` } as const;
    if (node !== null && !feed(chunk, node, { ...choice, ...lane })) return false;
  }
  const call = memberOf(tree, delta, 'function_call');
  const wrap = (text: string): string => `{"function_call":{"arguments":${text}}}`;
  if (call !== null && !feedMember(chunk, call, { ...choice, key: 'arguments', form: 'json', wrap })) return false;
  const audio = memberOf(tree, delta, 'audio');
  const wrapAudio = (text: string): string => `{"audio":{"transcript":${text}}}`;
  if (audio !== null && !feedMember(chunk, audio, { ...choice, key: 'transcript', form: 'text', wrap: wrapAudio }))
    return false;
  const notes = memberOf(tree, delta, 'annotations');
  if (notes !== null && !restoreOnce(chunk, notes, annotations)) return false;
  const calls = memberOf(tree, delta, 'tool_calls');
  return calls === null || readToolCalls(chunk, calls, choice);
}

function readToolCalls(chunk: Chunk, calls: number, choice: Choice): boolean {
  const { tree } = chunk;
  if (kindOf(tree, calls) === 'null') return true;
  if (kindOf(tree, calls) !== 'array') return false;
  let isKnown = true;
  eachElement(tree, calls, (call) => {
    isKnown = isKnown && readToolCall(chunk, call, choice);
  });
  return isKnown;
}

function readToolCall(chunk: Chunk, call: number, choice: Choice): boolean {
  const { session, tree } = chunk;
  const at = memberOf(tree, call, 'index');
  const index = at === null ? null : numberOf(tree, at);
  const type = memberString(tree, call, 'type');
  if (index === null || !Number.isInteger(index) || (type !== null && type !== 'function' && type !== 'custom'))
    return false;
  // A client takes a tool call, or the text before it, as complete when the next one begins.
  const own = `${String(choice.choice)}:tool ${String(index)} `;
  chunk.before += session.lanes.flush(
    (key) => key.startsWith(`${String(choice.choice)}:`) && !key.startsWith(own) && !key.endsWith(' arguments'),
  );
  const wrapCall = (body: string): string => `{"tool_calls":[{"index":${String(index)},${body}}]}`;
  const parts = [
    { name: 'function', key: 'arguments', form: 'json' },
    { name: 'custom', key: 'input', form: 'text' },
  ] as const;
  for (const { name, key, form } of parts) {
    const part = memberOf(tree, call, name);
    const wrap = (text: string): string => wrapCall(`"${name}":{"${key}":${text}}`);
    const lane = { ...choice, key, form, wrap, scope: `tool ${String(index)} ` };
    if (part !== null && !feedMember(chunk, part, lane)) return false;
  }
  return true;
}

/** A lane of a choice, the field it is fed from, and how a delta is written that carries its text. */
interface LaneField extends Choice {
  readonly key: string;
  readonly form: RestoreForm;
  readonly wrap: (text: string) => string;
  readonly scope?: string;
}

function feedMember(chunk: Chunk, node: number, lane: LaneField): boolean {
  if (kindOf(chunk.tree, node) === 'null') return true;
  if (kindOf(chunk.tree, node) !== 'object') return false;
  const value = memberOf(chunk.tree, node, lane.key);
  return value === null || feed(chunk, value, lane);
}

/** Feeds a string to its lane and puts what comes out in its place. */
function feed({ session, tree, envelope, edits }: Chunk, node: number, lane: LaneField): boolean {
  if (kindOf(tree, node) === 'null') return true;
  if (kindOf(tree, node) !== 'string') return false;
  const text = decodeString(tree, node);
  const key = `${String(lane.choice)}:${lane.scope ?? ''}${lane.key}`;
  // Read while this chunk's tree stands; a lane keeps only the text of it.
  const head = session.lanes.has(key) ? '' : envelope();
  const write = (held: string): string => {
    const delta = lane.wrap(JSON.stringify(held));
    return `data: {${head}"choices":[{"index":${String(lane.choice)},"delta":${delta},"finish_reason":null}]}\n\n`;
  };
  let out = session.lanes.feed(key, { form: lane.form, write }, text);
  if (out === null) return false;
  if (lane.isLast) out += session.lanes.drain(key);
  if (out !== text) edits.push({ start: startOf(tree, node), end: endOf(tree, node), insert: JSON.stringify(out) });
  return true;
}
