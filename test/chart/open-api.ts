import type { OpenApi } from './chart-files.ts';

/** A rule on a string that only matches regular expressions, as the resources have them; RE2 and JavaScript agree on what these use. */
type Match = { readonly expect: boolean; readonly pattern: RegExp };

/**
 * Judges a value as the API server judges it under strict field validation: structure, bounds and the rules that match one string.
 * Rules over several fields are left out but for one; the API server itself is asked about those.
 * @returns paths of what it refuses
 */
export function judge(schema: OpenApi, value: unknown, path = 'spec'): readonly string[] {
  if (value === null) return schema.nullable === true ? [] : [path];
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [path];
  switch (schema.type) {
    case 'string':
      return typeof value === 'string' && fitsString(schema, value) ? [] : [path];
    case 'integer':
      return Number.isInteger(value) && within(value as number, schema.minimum, schema.maximum) ? [] : [path];
    case 'boolean':
      return typeof value === 'boolean' ? [] : [path];
    case 'array':
      if (!Array.isArray(value) || !within(value.length, schema.minItems, schema.maxItems)) return [path];
      return value.flatMap((item, index) => (schema.items ? judge(schema.items, item, `${path}[${index}]`) : []));
    case 'object':
    default:
      return typeof value === 'object' && !Array.isArray(value) ? judgeObject(schema, { ...value }, path) : [path];
  }
}

/** The rules of a string, as expressions that must or must not match. @throws when a rule is of another form */
function matchesOf(rule: string): readonly Match[] {
  const terms = rule.split(' && ');
  return terms.map((term) => {
    const found = /^(!?)self\.matches\('(.*)'\)$/s.exec(term);
    if (found === null) throw new Error(`not a match of one string: ${term}`);
    // A CEL literal: a backslash escapes the next character.
    return {
      expect: found[1] === '',
      pattern: new RegExp((found[2] ?? '').replace(/\\(.)/g, (_, next: string) => (next === "'" ? "'" : next))),
    };
  });
}

function judgeObject(schema: OpenApi, value: Readonly<Record<string, unknown>>, path: string): readonly string[] {
  const { properties, additionalProperties, required = [] } = schema;
  // The one rule over several fields that the programs' schemas have too.
  const one = schema['x-kubernetes-validations']?.some(({ rule }) => rule.endsWith('.size() == 1')) === true;
  const given = Object.values(value).filter((field) => field !== undefined && field !== null).length;
  return [
    ...(one && given !== 1 ? [path] : []),
    ...required.filter((key) => value[key] === undefined).map((key) => `${path}.${key}`),
    ...Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .flatMap(([key, field]) => {
        const inner = additionalProperties ?? (Object.hasOwn(properties ?? {}, key) ? properties?.[key] : undefined);
        return inner === undefined ? [`${path}.${key}`] : judge(inner, field, `${path}.${key}`);
      }),
  ];
}

function fitsString(schema: OpenApi, value: string): boolean {
  return (
    within(Array.from(value).length, schema.minLength, schema.maxLength) &&
    (schema['x-kubernetes-validations'] ?? []).every(({ rule }) =>
      matchesOf(rule).every(({ expect, pattern }) => pattern.test(value) === expect),
    )
  );
}

function within(value: number, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY): boolean {
  return value >= least && value <= most;
}
