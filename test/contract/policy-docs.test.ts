import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { EGRESS_SPEC, EXEMPTION_SPEC, VALUES } from '#contract/policy-schema.ts';
import { AGREEMENT_SPEC } from '#contract/agreement-schema.ts';
import { describeFault } from '#contract/policy-source.ts';
import { readSource } from '#contract/policy-text.ts';
import { ENTITIES } from '#contract/entity.ts';

const PAGE = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');
const BLOCKS = [...PAGE.matchAll(/```yaml\n([^]*?)```/g)].map((block) => block[1] ?? '');

test('the page has an example of each document', () => {
  const all = BLOCKS.join('\n');
  for (const word of ['ProviderAgreement', 'EgressPolicy', 'GuardExemption']) expect(all).toContain(`kind: ${word}`);
  expect(all).toContain('values:');
});

test.each(BLOCKS.map((block, index) => [index + 1, block] as const))(
  'YAML block %i is a source without faults',
  (_, block) => {
    const result = readSource(block);
    expect(result.ok ? [] : result.faults.map(describeFault)).toEqual([]);
  },
);

/** Every field name that a schema knows, at any depth. */
function fieldNames(schema: z.ZodType): readonly string[] {
  const { def } = schema as unknown as { def: Record<string, unknown> };
  const inner = [def['innerType'], def['element'], def['in']].filter((part): part is z.ZodType => part !== undefined);
  const shape = (def['shape'] ?? {}) as Record<string, z.ZodType>;
  return [
    ...Object.entries(shape).flatMap(([name, part]) => [name, ...fieldNames(part)]),
    ...inner.flatMap(fieldNames),
  ];
}

test.each([
  ['values', VALUES],
  ['ProviderAgreement', AGREEMENT_SPEC],
  ['EgressPolicy', EGRESS_SPEC],
  ['GuardExemption', EXEMPTION_SPEC],
] as const)('every field of %s stands in its table and in an example', (title, schema) => {
  const section = PAGE.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
  const table = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .join('\n');
  const examples = BLOCKS.join('\n');
  for (const name of new Set(fieldNames(schema))) {
    expect(table, `${name} in the table`).toMatch(new RegExp(`\\b${name}\\b`));
    expect(examples, `${name} in an example`).toMatch(new RegExp(`\\b${name}\\b`));
  }
});

test('every kind of identifier is named', () => {
  for (const entity of ENTITIES) expect(PAGE).toContain(`\`${entity}\``);
});
