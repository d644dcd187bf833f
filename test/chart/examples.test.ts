import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { LABEL } from '#contract/labels.ts';
import { RESOURCES } from '#contract/policy-schema.ts';
import { admit, makePod } from '#test/controller/admission/fixture.ts';
import { specSchema } from './chart-files.ts';
import { judge } from './open-api.ts';

const DOCS = join(import.meta.dirname, '../../docs');

interface Example {
  readonly kind: string;
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Every scalar as text: to kubectl, a date is none. */
function readExamples(text: string): readonly Example[] {
  return parseAllDocuments(text, { version: '1.1', schema: 'failsafe' }).map((document) => document.toJS() as Example);
}

const [NAMESPACE, AGREEMENT] = readExamples(readFileSync(join(DOCS, 'examples/clinic.yaml'), 'utf8'));

test('the example’s namespace is guarded, at a level that lets a guard in', () => {
  expect(NAMESPACE?.metadata.labels).toEqual({
    [LABEL.guard]: 'labelled',
    'pod-security.kubernetes.io/enforce': 'privileged',
  });
});

test('the example’s agreement covers what the example’s job asks for', () => {
  const { spec } = RESOURCES.ProviderAgreement.parse(AGREEMENT);
  const job = readFileSync(join(DOCS, 'examples/first-call.yaml'), 'utf8');
  expect(spec.match).toMatchObject({ hosts: ['api.anthropic.com'], paths: ['POST /v1/messages'] });
  expect(job).toContain('https://api.anthropic.com/v1/messages');
});

test('the example’s job becomes a guarded pod, without a warning', () => {
  const [job] = parseAllDocuments(readFileSync(join(DOCS, 'examples/first-call.yaml'), 'utf8')).map(
    (document) => document.toJS() as Example,
  );
  const template = job?.spec.template as Pick<Example, 'metadata' | 'spec'>;
  expect(template.metadata.labels).toEqual({ [LABEL.phi]: 'true' });
  const { spec } = admit(makePod(template.spec)) as {
    readonly spec: { readonly initContainers: readonly { name: string }[] };
  };
  expect(spec.initContainers.map(({ name }) => name)).toEqual(['lazaret-init', 'lazaret-sidecar']);
});

describe('docs/policy.md', () => {
  const resources = [...readFileSync(join(DOCS, 'policy.md'), 'utf8').matchAll(/```yaml\n(.*?)```/gs)]
    .flatMap(([, block]) => parseAllDocuments(block ?? ''))
    .map((document) => document.toJS() as Example)
    .filter(({ kind }) => Object.hasOwn(RESOURCES, kind));

  it.each(resources.map((resource, index) => [`${index + 1}: ${resource.kind}`, resource] as const))(
    'shows an example that the API server takes (%s)',
    (_, { kind, spec }) => {
      expect(judge(specSchema(kind), spec)).toEqual([]);
    },
  );
});
