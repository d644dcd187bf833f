import type { Reason, Refusal } from '#contract/reason.ts';
import type { TextSite } from '#contract/text-site.ts';
import { endOf, type JsonTree, rawOf, startOf } from './json-tree.ts';
import { spliceUtf8, type TextEdit } from './splice.ts';

interface Place {
  readonly node: number;
  /** How the site stands in the body: as a JSON string, or as a raw JSON value. */
  readonly writing: TextEdit['as'];
}

/** A request body while it is read: what was found so far. The first refusal stays. */
export interface Draft {
  readonly tree: JsonTree;
  readonly allowMedia: boolean;
  readonly sites: TextSite[];
  readonly places: Place[];
  readonly locked: string[];
  readonly ids: string[];
  readonly schemaTexts: Set<string>;
  readonly features: Set<string>;
  /** For each document block in order: the ordinal of the site that holds its plain text, null when it has none. */
  readonly documents: (number | null)[];
  /** Names of known fields and indexes down to the value at hand. */
  readonly path: (string | number)[];
  /** Ordinal of the message at hand; 0 outside the messages. */
  message: number;
  user: string | undefined;
  refusal: Refusal | null;
}

/** @returns a draft with nothing found yet */
export function startDraft(tree: JsonTree, allowMedia: boolean): Draft {
  return {
    tree,
    allowMedia,
    sites: [],
    places: [],
    locked: [],
    ids: [],
    schemaTexts: new Set(),
    features: new Set(),
    documents: [],
    path: [],
    message: 0,
    user: undefined,
    refusal: null,
  };
}

/** Refuses the request at the value at hand. `detail` is a word of this program, never of the request. */
export function refuse(draft: Draft, reason: Reason, detail?: string): void {
  if (draft.refusal !== null) return;
  const where = [pathOf(draft.path), detail].filter((part) => part !== undefined && part !== '').join(': ');
  draft.refusal = where === '' ? { reason } : { reason, where };
}

function pathOf(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${String(part)}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** Adds the decoded string `text` of `node` as a text site. Empty strings hold nothing to examine. */
export function addText(draft: Draft, node: number, text: string, field?: string): void {
  if (text !== '') add(draft, { node, writing: 'string' }, { text, format: 'text', ...named(field) });
}

/** Adds a JSON value as it is written as a `json` site. */
export function addJson(draft: Draft, node: number, field?: string): void {
  const text = rawOf(draft.tree, node);
  if (text.length > 2 && text !== 'null' && text !== 'true' && text !== 'false') {
    add(draft, { node, writing: 'raw' }, { text, format: 'json', ...named(field) });
  }
}

/** Adds a string that holds JSON text as a `json` site: decoded here, encoded again when it is written. */
export function addArgument(draft: Draft, node: number, text: string): void {
  add(draft, { node, writing: 'string' }, { text, format: 'json' });
}

function add(draft: Draft, place: Place, site: Omit<TextSite, 'message'>): void {
  draft.places.push(place);
  draft.sites.push({ ...site, message: draft.message });
}

function named(field: string | undefined): { field?: string } {
  return field === undefined ? {} : { field };
}

/** @returns the body with the texts in the places of its sites; see `ParsedRequest.rewrite` */
export function rewriteDraft(draft: Draft, texts: readonly string[]): Uint8Array {
  if (texts.length !== draft.sites.length) throw new RangeError('rewrite needs one text for each site');
  const edits: TextEdit[] = [];
  for (const [index, place] of draft.places.entries()) {
    const text = texts[index] ?? '';
    if (text === draft.sites[index]?.text) continue;
    edits.push({ start: startOf(draft.tree, place.node), end: endOf(draft.tree, place.node), text, as: place.writing });
  }
  // The text stands for the body's bytes (they were valid UTF-8), so nobody has to keep those until now.
  return spliceUtf8(
    draft.tree.text,
    edits.sort((a, b) => a.start - b.start),
  );
}
