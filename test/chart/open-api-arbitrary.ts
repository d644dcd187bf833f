import fc from 'fast-check';
import type { OpenApi } from './chart-files.ts';

/** Text near what the fields ask for, right and wrong; what is right for one field is wrong for another. */
const TEXTS = [
  'api.example.org',
  '*.example.org',
  '*.org',
  'Example.org',
  '198.51.100.7',
  'a..b',
  '-a.example',
  'a_b.example',
  'x.0x1f',
  'x.12',
  '*.*.example.org',
  'https://api.example.org',
  'api.example.org:443',
  `${'a'.repeat(64)}.example`,
  `${'a.'.repeat(126)}a`,
  `${'a.'.repeat(127)}a`,
  'POST /v1/messages',
  'GET /',
  'POST /v1/*/x',
  'POST /v1//x',
  'post /v1',
  'POST v1',
  'POST /v1/../x',
  'POST /a/.',
  'POST /...',
  'POST /v1/',
  'POST /a%2fb',
  'POST /a b',
  '2026-11-30',
  '2026-11-30T12:00:00Z',
  '2026-11-30t12:00:00.5z',
  '2026-11-30T12:00:00+01:00',
  '2026-11-30T12:00:00',
  '30.11.2026',
  '2026-11-30 ',
  '20261130',
  'tool:web_search',
  'claude-*',
  'with space',
  'tab\there',
  'naïve',
  ' ',
  '',
  '\n',
  'x'.repeat(256),
  'x'.repeat(257),
  'x'.repeat(1_000),
  'x'.repeat(1_001),
  '0'.repeat(32),
  'f'.repeat(64),
  'F'.repeat(64),
  '0'.repeat(33),
  'B-28',
  'B-1234',
  'b-28',
  'B-',
  'us-east-1',
  'US',
  'anthropic-organization-id',
  'privacy office',
  'a.b-c',
  '-a',
  'a-',
  'A',
  'api-key',
  'pass',
  'api',
  'redact',
  'keep',
  'block',
  'signed',
  'whole',
  'deny',
  'header',
  'required',
] as const;

/**
 * Documents for a schema: mostly as it asks, now and then with a wrong, a missing or an unknown field, so that many are accepted
 * and many are refused.
 */
export function arbitraryFor(schema: OpenApi): fc.Arbitrary<unknown> {
  const right = rightFor(schema);
  const wrong = fc.oneof(
    fc.constantFrom<unknown>(...TEXTS),
    fc.string(),
    fc.constantFrom<unknown>(null, true, false, 0, 1, 1.5, 1_000_001, -1, [], {}, ['x'], { x: 'y' }),
  );
  return fc.oneof({ weight: 60, arbitrary: right }, { weight: 1, arbitrary: wrong });
}

function rightFor(schema: OpenApi): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom<unknown>(...schema.enum);
  switch (schema.type) {
    case 'string':
      return fc.oneof(
        { weight: 12, arbitrary: goodText(schema) },
        { weight: 1, arbitrary: fc.constantFrom<unknown>(...TEXTS) },
        { weight: 1, arbitrary: fc.string({ unit: 'grapheme-ascii' }) },
      );
    case 'integer':
      return fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 1, max: 1_000_000 }) },
        { weight: 1, arbitrary: fc.integer() },
      );
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.oneof(
        {
          weight: 30,
          arbitrary: fc.array(arbitraryFor(schema.items ?? schema), { minLength: schema.minItems ?? 0, maxLength: 2 }),
        },
        { weight: 1, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: goodItem(schema).map((item) => Array.from({ length: 1_025 }, () => item)) },
      );
    case 'object':
    default:
      return objectFor(schema);
  }
}

/** A grant holds exactly one of its fields: that rule is over several fields, so the document is made by it. */
function objectFor(schema: OpenApi): fc.Arbitrary<unknown> {
  if (schema.additionalProperties !== undefined) return fc.dictionary(fc.constantFrom('app', 'tier'), fc.string());
  const properties = Object.entries(schema.properties ?? {});
  if (properties.some(([key]) => key === 'monitor'))
    return fc.oneof(...properties.map(([key, field]) => arbitraryFor(field).map((value) => ({ [key]: value }))));
  const fields = Object.fromEntries(properties.map(([key, field]) => [key, arbitraryFor(field)]));
  const whole = fc.record(fields, { requiredKeys: [...(schema.required ?? [])] });
  return fc.oneof(
    { weight: 40, arbitrary: whole },
    { weight: 1, arbitrary: whole.map((object) => ({ ...object, unknownField: 1 })) },
    { weight: 1, arbitrary: fc.record(fields, { requiredKeys: [] }) },
  );
}

function goodItem(schema: OpenApi): fc.Arbitrary<unknown> {
  return schema.items?.enum === undefined
    ? goodText(schema.items ?? schema)
    : fc.constantFrom<unknown>(...schema.items.enum);
}

/** Text that the field's own message gives as its example. */
function goodText(schema: OpenApi): fc.Arbitrary<unknown> {
  const message = schema['x-kubernetes-validations']?.[0]?.message ?? '';
  const good: readonly (readonly [RegExp, readonly string[]])[] = [
    [/host name/, ['api.example.org', '*.example.org', 'vllm.models.svc.cluster.local', 'localhost']],
    [/method and a path/, ['POST /v1/messages', 'GET /', 'POST /v1/*/x']],
    [/must be a date/, ['2026-11-30', '2026-11-30T12:00:00Z', '2026-11-30t12:00:00.5z', '2026-11-30T12:00:00-11:30']],
    [/all 64/, ['0'.repeat(32), 'f'.repeat(64)]],
    [/64 lower-case/, ['0123456789abcdef'.repeat(4)]],
    [/rule id/, ['B-28', 'B-1']],
    [/printable ASCII|first characters/, ['tool:*', 'claude-haiku-4', 'sk-ant-']],
    [/region|header|Kubernetes name/, ['us-east-1', 'triage']],
  ];
  return fc.constantFrom(...(good.find(([pattern]) => pattern.test(message))?.[1] ?? ['privacy office', 'x']));
}
