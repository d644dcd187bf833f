import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { AGREEMENT_SPEC } from '#contract/agreement-schema.ts';
import { EGRESS_SPEC, EXEMPTION_SPEC, RESOURCES } from '#contract/policy-schema.ts';
import { type OpenApi, readDefinition, specSchema } from './chart-files.ts';
import { judge } from './open-api.ts';
import { arbitraryFor } from './open-api-arbitrary.ts';

const SPECS = { ProviderAgreement: AGREEMENT_SPEC, EgressPolicy: EGRESS_SPEC, GuardExemption: EXEMPTION_SPEC } as const;
const KINDS = Object.keys(SPECS) as readonly (keyof typeof SPECS)[];

interface JsonSchema {
  readonly anyOf?: readonly JsonSchema[];
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** What both sides say of one field, in one form. */
interface Shape {
  readonly type: string;
  readonly nullable: boolean;
  readonly values: readonly unknown[];
  readonly required: readonly string[];
  /** Of lists and numbers; lengths of texts are compared by documents, because a pattern may hold them. */
  readonly bounds: readonly (number | undefined)[];
}

describe.each(KINDS)('the definition of %s', (kind) => {
  const schema = specSchema(kind);
  const program = z.toJSONSchema(SPECS[kind], { io: 'input', unrepresentable: 'any' }) as JsonSchema;

  it('has the fields of the programs, with their types, bounds and words, and no other', () => {
    expect(flattenOpenApi(schema)).toEqual(flattenProgram(program));
  });

  it('describes every field', () => {
    const bare = Object.entries(walk(schema, 'spec'))
      .filter(([path, node]) => node.description === undefined && !/\[\]$|\.entities\.\w+$/.test(path))
      .map(([path]) => path);
    expect(bare).toEqual([]);
  });

  it('accepts and refuses the documents that the programs accept and refuse', () => {
    fc.assert(
      fc.property(arbitraryFor(schema), (spec) => {
        const refused = judge(schema, spec);
        const parsed = SPECS[kind].safeParse(spec);
        const faults = parsed.success ? [] : parsed.error.issues;
        expect({ spec, accepted: refused.length === 0 }).toEqual({ spec, accepted: faults.length === 0 });
      }),
      { numRuns: 1_500 },
    );
  });

  it('is kept at uninstall, has a status beside its spec, and shows its conditions', () => {
    const definition = readDefinition(kind);
    const version = definition.spec.versions[0];
    expect(definition.metadata.annotations['helm.sh/resource-policy']).toBe('keep');
    expect(version.name).toBe('v1alpha1');
    expect(version.subresources).toEqual({ status: {} });
    expect(version.additionalPrinterColumns.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Accepted', 'In use', 'Age']),
    );
    const fields = Object.keys(version.schema.openAPIV3Schema.properties?.status?.properties ?? {});
    expect(fields).toEqual(expect.arrayContaining(['observedGeneration', 'conditions']));
    expect(definition.spec.scope).toBe(kind === 'EgressPolicy' ? 'Namespaced' : 'Cluster');
  });
});

test('the definitions are those of the kinds that the programs know', () => {
  expect(KINDS.toSorted()).toEqual(Object.keys(RESOURCES).toSorted());
});

function flattenOpenApi(schema: OpenApi): Readonly<Record<string, Shape>> {
  return Object.fromEntries(
    Object.entries(walk(schema, 'spec')).map(([path, node]) => [
      path,
      {
        type: node.type,
        nullable: node.nullable === true,
        values: (node.enum ?? []).map(String).toSorted(),
        required: (node.required ?? []).toSorted(),
        bounds: [node.minItems, node.maxItems, node.minimum, node.maximum],
      },
    ]),
  );
}

function walk(node: OpenApi, path: string): Readonly<Record<string, OpenApi>> {
  return {
    [path]: node,
    ...(node.items === undefined ? {} : walk(node.items, `${path}[]`)),
    ...Object.assign({}, ...Object.entries(node.properties ?? {}).map(([key, field]) => walk(field, `${path}.${key}`))),
  };
}

function flattenProgram(given: JsonSchema, path = 'spec'): Readonly<Record<string, Shape>> {
  const node = given.anyOf?.find(({ type }) => type !== 'null') ?? given;
  const types = [node.type ?? ''].flat();
  const constant = node.const === undefined ? [] : [node.const];
  const shape: Shape = {
    type: types[0] ?? '',
    nullable: types.includes('null') || given.anyOf?.some(({ type }) => type === 'null') === true,
    values: (node.enum ?? constant).map(String).toSorted(),
    required: (node.required ?? []).toSorted(),
    bounds: [node.minItems, node.maxItems, node.minimum, node.maximum],
  };
  return {
    [path]: shape,
    ...(node.items === undefined ? {} : flattenProgram(node.items, `${path}[]`)),
    ...Object.assign(
      {},
      ...Object.entries(propertiesOf(node)).map(([key, field]) => flattenProgram(field, `${path}.${key}`)),
    ),
  };
}

/** A record of a closed set of keys is an object with these properties. */
function propertiesOf(node: JsonSchema): Readonly<Record<string, JsonSchema>> {
  const names = node.propertyNames?.enum;
  const { additionalProperties: field } = node;
  if (names === undefined || typeof field !== 'object') return node.properties ?? {};
  return Object.fromEntries(names.map((name) => [String(name), field]));
}
