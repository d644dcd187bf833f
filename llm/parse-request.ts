import type { Reason, Refusal } from '#contract/reason.ts';
import { anthropicBody } from './anthropic-request.ts';
import type { DialectId } from './dialect.ts';
import { type Draft, rewriteDraft, startDraft } from './draft.ts';
import { headerFeatures } from './features.ts';
import { scanJson } from './json-scan.ts';
import { type JsonTree, kindOf, memberOf, memberString, ROOT } from './json-tree.ts';
import { openaiBody } from './openai-request.ts';
import type { Fields, ParsedRequest, RequestOptions, RequestParse } from './request.ts';
import { decodeUtf8 } from './splice.ts';
import type { Visit } from './visit.ts';
import { isModelName } from './vocabulary.ts';

const BODIES: Readonly<Record<DialectId, Visit>> = { 'anthropic-messages': anthropicBody, 'openai-chat': openaiBody };

/** A request body as it came, and what policy lets through. */
export interface RequestInput extends RequestOptions {
  readonly body: Uint8Array;
  readonly headers: Fields;
}

/**
 * Reads a request body once, completely and without guessing: every string in it is a text site, examined but locked,
 * a name of the application's schema, a known word, an id, or opaque data. What is none of these refuses the request.
 * @returns `body_unreadable`, `media_not_allowed` or `feature_not_covered` with the place as a path of known names
 */
export function parseRequest(dialect: DialectId, input: RequestInput): RequestParse {
  const text = decodeUtf8(input.body);
  if (text === null) return refused('body_unreadable', 'not UTF-8');
  const scan = scanJson(text);
  if (scan.kind === 'fault') return refused('body_unreadable', FAULTS[scan.fault]);
  // Receivers disagree about half a surrogate pair, so what would be examined is not what the provider reads.
  if (scan.tree.lone) return refused('body_unreadable', 'half a surrogate pair');
  const draft = startDraft(scan.tree, input.allowMedia);
  const head = readHead(scan.tree);
  if ('reason' in head) return { kind: 'refused', refusal: head };
  for (const feature of headerFeatures(input.headers)) draft.features.add(feature);
  BODIES[dialect](draft, ROOT);
  if (draft.refusal !== null) return { kind: 'refused', refusal: draft.refusal };
  return { kind: 'parsed', request: finish(draft, head) };
}

const FAULTS = {
  syntax: 'not JSON',
  duplicate_key: 'a key stands twice in an object',
  depth: 'nested too deeply',
  size: 'too many values',
} as const;

function refused(reason: Reason, where: string): RequestParse {
  return { kind: 'refused', refusal: { reason, where } };
}

interface Head {
  readonly model: string;
  readonly stream: boolean;
}

function readHead(tree: JsonTree): Head | Refusal {
  const fault = (where: string): Refusal => ({ reason: 'body_unreadable', where });
  if (kindOf(tree, ROOT) !== 'object') return fault('not an object');
  const model = memberString(tree, ROOT, 'model');
  if (model === null || !isModelName(model)) return fault('model');
  if (memberOf(tree, ROOT, 'messages') === null) return fault('messages');
  const stream = memberOf(tree, ROOT, 'stream');
  const kind = stream === null ? 'null' : kindOf(tree, stream);
  if (kind !== 'true' && kind !== 'false' && kind !== 'null') return fault('stream');
  return { model, stream: kind === 'true' };
}

function finish(draft: Draft, head: Head): ParsedRequest {
  return {
    ...head,
    ...(draft.user === undefined ? {} : { user: draft.user }),
    features: [...draft.features].toSorted(),
    sites: draft.sites,
    locked: draft.locked,
    ids: draft.ids,
    schemaTexts: [...draft.schemaTexts],
    documents: (texts) =>
      draft.documents.map((site) =>
        site === null ? null : { original: draft.sites[site]?.text ?? '', sent: texts[site] ?? '' },
      ),
    rewrite: (texts) => rewriteDraft(draft, texts),
  };
}
