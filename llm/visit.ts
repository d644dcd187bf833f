import { addArgument, addJson, addText, type Draft, refuse } from './draft.ts';
import { scanJson } from './json-scan.ts';
import { decodeString, eachElement, eachMember, kindOf, memberString, rawOf } from './json-tree.ts';
import { isModelName, isProviderId, isWord } from './vocabulary.ts';

/** Examines one value of a request body and enters what it finds in the draft. */
export type Visit = (draft: Draft, node: number) => void;

/** The known fields of an object. */
export type FieldTable = Readonly<Record<string, Visit>>;

const OPAQUE = /^[A-Za-z0-9+/=_-]*$/;
/** Signatures and ciphertexts are longer than this; what is shorter could as well be a name. */
const SHORT_OPAQUE = 40;
const ID = /^[A-Za-z0-9_.:-]{1,256}$/;

function unreadable(draft: Draft, detail: string): void {
  refuse(draft, 'body_unreadable', detail);
}

/** Human text; nothing else may stand here (T27). */
export const text: Visit = (draft, node) => {
  if (kindOf(draft.tree, node) === 'string') addText(draft, node, decodeString(draft.tree, node));
  else unreadable(draft, 'not a string');
};

/** Human text in a field whose name tells a detector something. */
export function textNamed(field: string): Visit {
  return (draft, node) => {
    if (kindOf(draft.tree, node) === 'string') addText(draft, node, decodeString(draft.tree, node), field);
    else unreadable(draft, 'not a string');
  };
}

/** Any JSON value, examined as it is written. */
export const json: Visit = (draft, node) => {
  addJson(draft, node);
};

/** A string that should hold JSON: tool-call arguments. Free text when it does not. */
export const argument: Visit = (draft, node) => {
  if (kindOf(draft.tree, node) !== 'string') {
    unreadable(draft, 'not a string');
    return;
  }
  const value = decodeString(draft.tree, node);
  if (/^\s*[[{"]/.test(value) && scanJson(value).kind === 'json') addArgument(draft, node, value);
  else addText(draft, node, value);
};

/** A value of an enumeration. What is not in the closed vocabulary is examined like text. */
export const word: Visit = (draft, node) => {
  if (kindOf(draft.tree, node) !== 'string') {
    unreadable(draft, 'not a string');
    return;
  }
  const value = decodeString(draft.tree, node);
  if (!isWord(value)) addText(draft, node, value);
};

/** The word that named the shape: examined already. */
export const tag: Visit = () => {};

/** An id: forwarded as it is; examined unless it has the random form that providers give theirs. */
export const id: Visit = (draft, node) => {
  const value = kindOf(draft.tree, node) === 'string' ? decodeString(draft.tree, node) : '';
  if (!ID.test(value)) unreadable(draft, 'not an id');
  else if (isProviderId(value)) draft.ids.push(value);
  else draft.locked.push(value);
};

/** An identifier of the application's code (a tool's name): an identifier of a person in it refuses. */
export const name: Visit = (draft, node) => {
  if (kindOf(draft.tree, node) === 'string') draft.schemaTexts.add(decodeString(draft.tree, node));
  else unreadable(draft, 'not a string');
};

/** The name of a model beside the one that answers. */
export const model: Visit = (draft, node) => {
  if (!isModelName(kindOf(draft.tree, node) === 'string' ? decodeString(draft.tree, node) : ''))
    unreadable(draft, 'not a model');
};

/** Encrypted or signed bytes in a base64 alphabet: never changed, and not examined, because random letters look like anything. */
export const opaque: Visit = (draft, node) => {
  const value = kindOf(draft.tree, node) === 'string' ? decodeString(draft.tree, node) : ' ';
  if (!OPAQUE.test(value)) unreadable(draft, 'not opaque data');
  else if (value.length > 0 && value.length < SHORT_OPAQUE) draft.locked.push(value);
};

/** Text that must not change (signed thinking, compaction): examined, forwarded byte for byte. */
export const locked: Visit = (draft, node) => {
  if (kindOf(draft.tree, node) !== 'string') unreadable(draft, 'not a string');
  else if (draft.tree.tape[node * 3 + 1] !== (draft.tree.tape[node * 3] ?? 0) + 2)
    draft.locked.push(decodeString(draft.tree, node));
};

/** A number, true, false or null. */
export const scalar: Visit = (draft, node) => {
  const kind = kindOf(draft.tree, node);
  if (kind === 'string' || kind === 'object' || kind === 'array') unreadable(draft, 'not a number or boolean');
};

/** null, or what `visit` takes. */
export function orNull(visit: Visit): Visit {
  return (draft, node) => {
    if (kindOf(draft.tree, node) !== 'null') visit(draft, node);
  };
}

/** An array whose elements are all visited. */
export function list(visit: Visit): Visit {
  return (draft, node) => {
    if (kindOf(draft.tree, node) !== 'array') {
      unreadable(draft, 'not an array');
      return;
    }
    eachElement(draft.tree, node, (value, index) => {
      draft.path.push(index);
      visit(draft, value);
      draft.path.pop();
    });
  };
}

/** A string, or else what `visit` takes. */
export function stringOr(string: Visit, visit: Visit): Visit {
  return (draft, node) => {
    (kindOf(draft.tree, node) === 'string' ? string : visit)(draft, node);
  };
}

/** An object with known fields, visited in document order. */
export function object(fields: FieldTable): Visit {
  return (draft, node) => {
    if (kindOf(draft.tree, node) !== 'object') {
      unreadable(draft, 'not an object');
      return;
    }
    eachMember(draft.tree, node, (key, value) => {
      visitField(draft, Object.hasOwn(fields, key) ? fields[key] : undefined, key, value);
    });
  };
}

function visitField(draft: Draft, visit: Visit | undefined, key: string, value: number): void {
  if (visit === undefined) {
    unknownField(draft, key, value);
    return;
  }
  draft.path.push(key);
  visit(draft, value);
  draft.path.pop();
}

/** A field that no table knows may hold anything: it passes only with a value that cannot hold an identifier, its name is examined. */
function unknownField(draft: Draft, key: string, value: number): void {
  const kind = kindOf(draft.tree, value);
  const isHarmless =
    kind === 'null' ||
    kind === 'true' ||
    kind === 'false' ||
    (kind === 'number' && rawOf(draft.tree, value).length <= 4);
  if (isHarmless) draft.schemaTexts.add(key);
  else refuse(draft, 'feature_not_covered', 'unknown field');
}

/** An object with known fields, visited in the order of the table, so that sites keep the conversation's order (T32). */
export function orderedObject(fields: FieldTable): Visit {
  return (draft, node) => {
    const found = new Map<string, number>();
    if (kindOf(draft.tree, node) !== 'object') unreadable(draft, 'not an object');
    eachMember(draft.tree, node, (key, value) => {
      if (Object.hasOwn(fields, key)) found.set(key, value);
      else unknownField(draft, key, value);
    });
    for (const [key, visit] of Object.entries(fields)) {
      const value = found.get(key);
      if (value !== undefined) visitField(draft, visit, key, value);
    }
  };
}

/** An object whose field `by` names its shape. Unknown shapes are refused (T27). */
export function tagged(by: string, shapes: FieldTable): Visit {
  return (draft, node) => {
    const shape = memberString(draft.tree, node, by);
    const visit = shape !== null && Object.hasOwn(shapes, shape) ? shapes[shape] : undefined;
    if (visit === undefined) unreadable(draft, `unknown ${by}`);
    else visit(draft, node);
  };
}

/** Enters a feature when the field is there with a value, then visits it. */
export function feature(name: string, visit: Visit): Visit {
  return (draft, node) => {
    const kind = kindOf(draft.tree, node);
    if (kind !== 'null' && kind !== 'false') draft.features.add(name);
    visit(draft, node);
  };
}

/** Media that cannot be examined: refused unless policy allows it. */
export function media(kind: 'image' | 'document' | 'audio', visit: Visit): Visit {
  return (draft, node) => {
    draft.features.add(`media:${kind}`);
    if (draft.allowMedia) visit(draft, node);
    else refuse(draft, 'media_not_allowed');
  };
}

/** Something that is never let through, whatever policy says, because it lies where nobody can examine it. */
export const stored: Visit = (draft, node) => {
  if (kindOf(draft.tree, node) !== 'null') refuse(draft, 'feature_not_covered', 'stored at the provider');
};
