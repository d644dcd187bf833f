import { addText, type Draft, refuse } from './draft.ts';
import { decodeString, eachElement, eachMember, kindOf } from './json-tree.ts';
import { isWord } from './vocabulary.ts';
import { json, type Visit } from './visit.ts';

/** Keywords whose value is one schema, or a list of them (JSON Schema 2020-12 §10, draft-07 §6). */
const SCHEMA_KEYWORDS = new Set(
  'items prefixItems additionalItems contains additionalProperties propertyNames unevaluatedItems unevaluatedProperties not if then else allOf anyOf oneOf contentSchema'.split(
    ' ',
  ),
);
/** Keywords whose value maps names of the application to schemas. */
const NAMED_SCHEMAS = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'dependencies',
]);
/** Keywords whose strings are identifiers: they cannot be rewritten, so what they hold can only refuse. */
const IDENTIFIERS = new Set([
  'enum',
  'const',
  'pattern',
  'required',
  'type',
  'format',
  '$ref',
  '$id',
  '$anchor',
  '$dynamicRef',
  'dependentRequired',
]);
/** Keywords whose value is prose. */
const PROSE = new Set(['description', 'title', '$comment']);

const DIALECT_URI = /^https?:\/\/json-schema\.org\/[A-Za-z0-9/._-]*#?$/;

/**
 * A JSON schema: prose becomes sites; property names, `enum`, `const`, `pattern` and the like become schema texts, where
 * providers forbid identifiers by contract; any other keyword (`default`, `examples`, extensions) is examined as JSON.
 */
export const schema: Visit = (draft, node) => {
  const kind = kindOf(draft.tree, node);
  if (kind === 'array') {
    eachElement(draft.tree, node, (value) => {
      schema(draft, value);
    });
  } else if (kind === 'object') {
    eachMember(draft.tree, node, (keyword, value) => {
      visitKeyword(draft, keyword, value);
    });
  } else if (kind === 'string' || kind === 'number') {
    refuse(draft, 'body_unreadable', 'not a schema');
  }
};

function visitKeyword(draft: Draft, keyword: string, value: number): void {
  if (PROSE.has(keyword) && kindOf(draft.tree, value) === 'string')
    addText(draft, value, decodeString(draft.tree, value));
  else if (SCHEMA_KEYWORDS.has(keyword)) schema(draft, value);
  else if (NAMED_SCHEMAS.has(keyword)) visitNamed(draft, value);
  else if (IDENTIFIERS.has(keyword)) addIdentifiers(draft, value);
  else if (keyword === '$schema' && DIALECT_URI.test(decodeIfString(draft, value))) return;
  else {
    draft.schemaTexts.add(keyword);
    json(draft, value);
  }
}

function visitNamed(draft: Draft, node: number): void {
  if (kindOf(draft.tree, node) !== 'object') {
    if (kindOf(draft.tree, node) !== 'null') refuse(draft, 'body_unreadable', 'not an object');
    return;
  }
  eachMember(draft.tree, node, (name, value) => {
    draft.schemaTexts.add(name);
    // draft-07 `dependencies` may list names instead of a schema.
    if (kindOf(draft.tree, value) === 'array') addIdentifiers(draft, value);
    else schema(draft, value);
  });
}

/** Every string and number below a value, keys included. */
function addIdentifiers(draft: Draft, node: number): void {
  const kind = kindOf(draft.tree, node);
  if (kind === 'string' || kind === 'number') {
    const value =
      kind === 'string'
        ? decodeString(draft.tree, node)
        : draft.tree.text.slice(draft.tree.tape[node * 3], draft.tree.tape[node * 3 + 1]);
    if (!isWord(value)) draft.schemaTexts.add(value);
  } else {
    eachElement(draft.tree, node, (value) => {
      addIdentifiers(draft, value);
    });
    eachMember(draft.tree, node, (key, value) => {
      draft.schemaTexts.add(key);
      addIdentifiers(draft, value);
    });
  }
}

function decodeIfString(draft: Draft, node: number): string {
  return kindOf(draft.tree, node) === 'string' ? decodeString(draft.tree, node) : '';
}
