import { LIMIT } from '#contract/limit.ts';
import { isJsonObject, ownField } from './json.ts';

/** What a field must be. Null and absence are always right. */
export type Shape =
  | LeafShape
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly fields: { readonly [field: string]: Shape } };

type LeafShape = 'text' | 'number' | 'flag' | 'object';

/** A field of the wrong type: where, and what it must be. */
export interface ShapeFault {
  readonly field: string;
  readonly expected: string;
}

/** Where the walk stands. The path is written out only for a fault: most fields have none. */
interface Walk {
  readonly prefix: string;
  readonly path: (string | number)[];
  readonly faults: ShapeFault[];
}

const LEAF_TYPE = { text: 'string', number: 'number', flag: 'boolean' } as const;
const WORD = { text: 'a string', number: 'a number', flag: 'true or false', object: 'an object' } as const;

/**
 * Checks the types of all fields that a shape names, and looks at no other. It goes as deep as the shape, and ends at
 * `LIMIT.admissionFaults` faults.
 * @param prefix what stands before every path
 */
export function checkShape(value: unknown, shape: Shape, prefix: string): readonly ShapeFault[] {
  const walk: Walk = { prefix, path: [], faults: [] };
  checkValue(value, shape, walk);
  return walk.faults;
}

function checkValue(value: unknown, shape: Shape, walk: Walk): void {
  if (value === null || value === undefined || walk.faults.length >= LIMIT.admissionFaults) return;
  if (typeof shape === 'string') {
    const right = shape === 'object' ? isJsonObject(value) : typeof value === LEAF_TYPE[shape];
    if (!right) addFault(walk, WORD[shape]);
  } else if ('list' in shape) checkList(value, shape.list, walk);
  else if (!isJsonObject(value)) addFault(walk, 'an object');
  else if ('map' in shape) {
    for (const key of Object.keys(value)) checkAt(`[${JSON.stringify(key.slice(0, 80))}]`, value[key], shape.map, walk);
  } else {
    for (const field in shape.fields) checkAt(field, ownField(value, field), shape.fields[field] ?? 'object', walk);
  }
}

/** An absent item of a list is no item: unlike a field, it cannot be left out. */
function checkList(value: unknown, inner: Shape, walk: Walk): void {
  if (!Array.isArray(value)) return addFault(walk, 'a list');
  if (value.length > LIMIT.admissionListEntries) {
    return addFault(walk, `a list of at most ${LIMIT.admissionListEntries} entries`);
  }
  for (let i = 0; i < value.length; i += 1) {
    walk.path.push(i);
    if (value[i] === null || value[i] === undefined)
      addFault(walk, typeof inner === 'string' ? WORD[inner] : 'an object');
    else checkValue(value[i], inner, walk);
    walk.path.pop();
  }
}

function checkAt(step: string, value: unknown, shape: Shape, walk: Walk): void {
  walk.path.push(step);
  checkValue(value, shape, walk);
  walk.path.pop();
}

function addFault({ prefix, path, faults }: Walk, expected: string): void {
  if (faults.length >= LIMIT.admissionFaults) return;
  const field = path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return step.startsWith('[') || text === '' || text.endsWith('.') ? `${text}${step}` : `${text}.${step}`;
  }, prefix);
  faults.push({ field, expected });
}
