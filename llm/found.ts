import type { RestoreForm } from '#contract/text-site.ts';
import { relocate } from './citation.ts';
import {
  decodeString,
  eachElement,
  eachMember,
  endOf,
  type JsonTree,
  kindOf,
  memberOf,
  memberString,
  numberOf,
  rawOf,
  startOf,
} from './json-tree.ts';
import type { ResponseOptions } from './response.ts';
import type { Edit } from './splice.ts';

interface RestorePlace {
  readonly node: number;
  readonly text: string;
  readonly form: RestoreForm;
  readonly isRaw: boolean;
}

/** Two offsets that count characters of a text which restoring makes longer or shorter. */
interface Offsets {
  readonly start: number;
  readonly end: number;
  /** Ordinal of the place that holds the cited text, and of the document it stands in; -1 when there is none. */
  readonly cited: number;
  readonly document: number;
}

/** An answer or an event of one while it is read. */
export interface Found {
  readonly tree: JsonTree;
  readonly places: RestorePlace[];
  readonly locked: string[];
  readonly offsets: Offsets[];
  /** Something stands here that no table knows. */
  isUnknown: boolean;
}

/** Looks at one value of an answer. */
export type Find = (found: Found, node: number) => void;
export type FindTable = Readonly<Record<string, Find>>;

/** @returns a draft of an answer with nothing found yet */
export function startFound(tree: JsonTree): Found {
  return { tree, places: [], locked: [], offsets: [], isUnknown: false };
}

/** Text, or null. */
export const restored: Find = (found, node) => {
  addPlace(found, node, 'text');
};

/** A string that holds JSON text (tool-call arguments), or null. */
export const restoredArgument: Find = (found, node) => {
  addPlace(found, node, 'json');
};

function addPlace(found: Found, node: number, form: RestoreForm): void {
  const kind = kindOf(found.tree, node);
  if (kind === 'string') found.places.push({ node, text: decodeString(found.tree, node), form, isRaw: false });
  else if (kind !== 'null') found.isUnknown = true;
}

/** A JSON value, restored as it is written. */
export const restoredJson: Find = (found, node) => {
  const text = rawOf(found.tree, node);
  if (text.includes('"')) found.places.push({ node, text, form: 'json', isRaw: true });
};

/** Text that stays as it is (thinking), or null. */
export const lockedText: Find = (found, node) => {
  const kind = kindOf(found.tree, node);
  if (kind === 'string') found.locked.push(decodeString(found.tree, node));
  else if (kind !== 'null') found.isUnknown = true;
};

/** Nothing to do: ids, numbers, encrypted bytes. */
export const untouched: Find = () => {};

/** Members of an object; what the table does not name is left alone, because no original can stand in an answer. */
export function members(table: FindTable): Find {
  return (found, node) => {
    if (kindOf(found.tree, node) === 'null') return;
    if (kindOf(found.tree, node) !== 'object') found.isUnknown = true;
    eachMember(found.tree, node, (key, value) => {
      if (Object.hasOwn(table, key)) table[key]?.(found, value);
    });
  };
}

/** Elements of an array, or null. */
export function elements(find: Find): Find {
  return (found, node) => {
    const kind = kindOf(found.tree, node);
    if (kind !== 'array' && kind !== 'null') found.isUnknown = true;
    eachElement(found.tree, node, (value) => {
      find(found, value);
    });
  };
}

/** A string, or else what `find` takes. */
export function stringElse(string: Find, find: Find): Find {
  return (found, node) => {
    (kindOf(found.tree, node) === 'string' ? string : find)(found, node);
  };
}

/** An object whose `type` names its shape; an unknown shape makes the answer unreadable. */
export function byType(shapes: FindTable): Find {
  return (found, node) => {
    const type = memberString(found.tree, node, 'type');
    const find = type !== null && Object.hasOwn(shapes, type) ? shapes[type] : undefined;
    if (find === undefined) found.isUnknown = true;
    else find(found, node);
  };
}

/** Notes the offsets `start` and `end` of a citation, if it has them. */
export function addOffsets(found: Found, node: number, names: readonly [start: string, end: string]): void {
  const start = memberOf(found.tree, node, names[0]);
  const end = memberOf(found.tree, node, names[1]);
  if (start === null || end === null) return;
  const text = memberOf(found.tree, node, 'cited_text');
  const document = memberOf(found.tree, node, 'document_index');
  found.offsets.push({
    start,
    end,
    cited: text === null ? -1 : found.places.findLastIndex((place) => place.node === text),
    document: document === null ? -1 : (numberOf(found.tree, document) ?? -1),
  });
}

/** @returns the edits that put `texts` in the found places and set right the offsets that they move */
export function restoreEdits(found: Found, texts: readonly string[], options: ResponseOptions): Edit[] {
  const edits: Edit[] = [];
  for (const [index, place] of found.places.entries()) {
    const text = texts[index] ?? '';
    if (text !== place.text) edits.push(replace(found, place.node, place.isRaw ? text : JSON.stringify(text)));
  }
  const isChanged = edits.length > 0;
  for (const offsets of found.offsets) edits.push(...offsetEdits(found, offsets, { texts, options, isChanged }));
  return edits;
}

interface Restored {
  readonly texts: readonly string[];
  readonly options: ResponseOptions;
  readonly isChanged: boolean;
}

function offsetEdits(found: Found, offsets: Offsets, restored: Restored): readonly Edit[] {
  const document = restored.options.documents?.[offsets.document];
  const at = numberOf(found.tree, offsets.start);
  // Without a document the offsets count characters of the answer itself (OpenAI's url_citation).
  if (offsets.cited < 0 ? !restored.isChanged : document?.original === document?.sent && document !== undefined)
    return [];
  if (at === null) return [];
  const cited = { sent: found.places[offsets.cited]?.text ?? '', original: restored.texts[offsets.cited] ?? '', at };
  const moved = offsets.cited < 0 || document === undefined || document === null ? null : relocate(document, cited);
  return [
    replace(found, offsets.start, moved === null ? 'null' : String(moved.start)),
    replace(found, offsets.end, moved === null ? 'null' : String(moved.end)),
  ];
}

function replace(found: Found, node: number, insert: string): Edit {
  return { start: startOf(found.tree, node), end: endOf(found.tree, node), insert };
}
