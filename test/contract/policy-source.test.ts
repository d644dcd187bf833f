import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSource } from '#contract/policy-source.ts';
import { readSource } from '#contract/policy-text.ts';
import { agreement, contract, egressPolicy, exemption, faultsOf, match, sourceOf, values } from './policy-fixture.ts';

test('all faults of all documents are reported together, each with document, field and remedy', () => {
  const faults = faultsOf(
    agreement({ product: 7, ...match({ hosts: ['https://api.anthropic.com'], paths: [] }), surprise: 1 }, 'first'),
    exemption({ monitor: true }, { until: '31.12.2026' }),
    values({ egress: { destination: [] } }),
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } },
    'text',
  );
  expect(faults).toEqual([
    'ProviderAgreement/first: spec.product: must be of type string; in YAML put it in quotes',
    'ProviderAgreement/first: spec.match.hosts[0]: must be a host name in lower case (api.example.org) or "*." and a name of at least two labels (*.example.org), without scheme, port or path',
    'ProviderAgreement/first: spec.match.paths: must name at least one operation: what is not listed is blocked',
    'ProviderAgreement/first: spec.surprise: is not a field of this resource: remove it or correct its spelling',
    'GuardExemption/grant: spec.until: must be a date (2026-11-30) or an RFC 3339 time (2026-11-30T12:00:00Z)',
    'values: values.egress.destination: is not a field of this resource: remove it or correct its spelling',
    'Secret/x: kind: must be ProviderAgreement, EgressPolicy or GuardExemption, or the document must be "values: ..."',
    'document 5: must be an object: one of the three resources, or "values: ..."',
  ]);
});

test('a missing field is named with what it must hold', () => {
  expect(faultsOf({ ...agreement(), spec: { provider: 'A', product: 'B' } })).toEqual([
    'ProviderAgreement/anthropic-api: spec.match: is missing: write a value of type object',
  ]);
});

test('a JSON list, a YAML stream and a List of the API server give the same source', () => {
  const documents = [agreement(), values({ egress: { destinations: ['example.org'] } })];
  const stream = documents.map((document) => JSON.stringify(document)).join('\n---\n');
  const list = parseSource([{ apiVersion: 'v1', kind: 'List', items: documents }]);
  expect(readSource(stream)).toEqual(list);
  expect(readSource(JSON.stringify(documents))).toEqual(list);
  expect(list.ok).toBe(true);
});

test('what the API server adds to a resource is no fault', () => {
  const document = {
    ...agreement(),
    metadata: { name: 'a', uid: 'x', resourceVersion: '12', managedFields: [] },
    status: { conditions: [] },
  };
  expect(faultsOf(document)).toEqual([]);
});

test('YAML faults of several documents are reported with their lines', () => {
  expect(readSource('a: 1\na: 2\n---\n[')).toEqual({
    ok: false,
    faults: [
      { document: 'document 1', field: 'line 2', problem: 'Map keys must be unique' },
      { document: 'document 2', field: 'line 4', problem: 'Flow sequence must end with a ]' },
    ],
  });
});

test('aliases that multiply are refused, not resolved', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x,x]',
    ...'bcdefgh'.split('').map((key, i) => `${key}: &${key} [${Array(10).fill(`*${'abcdefgh'[i]}`).join(',')}]`),
  ].join('\n');
  expect(readSource(bomb)).toMatchObject({ ok: false, faults: [{ problem: expect.stringContaining('aliases') }] });
});

test('an empty source is a fault, not a policy', () => {
  expect(readSource('')).toMatchObject({ ok: false });
  expect(faultsOf()).toEqual(['source: holds no document: write at least "values: {}"']);
});

test('two values documents and two resources of one name are faults', () => {
  expect(faultsOf(values({}), values({}))).toEqual(['values: stands twice: keep one values document']);
  expect(faultsOf(agreement(), agreement())).toEqual([
    'ProviderAgreement/anthropic-api: metadata.name: stands twice: give each resource a name of its own',
  ]);
});

test.each([
  ['a consumer product', agreement(match({ hosts: ['claude.ai'] })), 'spec.match.hosts[0]: is a consumer product'],
  [
    'a known provider as self-hosted',
    agreement({ kind: 'self-hosted' }),
    'spec.match.hosts[0]: belongs to a known provider',
  ],
  ['a router without its vendors', agreement(match({ hosts: ['openrouter.ai'] })), 'spec.match.hosts[0]: is a router'],
  [
    'a vendor that is not there',
    agreement({ ...match({ hosts: ['openrouter.ai'] }), routesTo: ['other'] }),
    'spec.routesTo[0]: must be the name of another',
  ],
  [
    'a plan credential without a pinned organization',
    agreement(match({ credential: { kinds: ['oauth'] } })),
    'spec.match.organization.ids: must name',
  ],
  [
    'a key that the product would have to hand out',
    agreement({ credential: 'secret' }),
    'spec.credential: must be "pass"',
  ],
  ['a hash that is none', agreement(contract({ sha256: 'abc' })), 'spec.contract.sha256: must be the SHA-256'],
])('an agreement for %s is a fault', (_, document, problem) => {
  expect(faultsOf(document)).toEqual([expect.stringContaining(`ProviderAgreement/anthropic-api: ${problem}`)]);
});

test.each(['api.openai.com', '*.openai.azure.com', 'claude.ai', 'bedrock-runtime.eu-central-1.amazonaws.com'])(
  'the known LLM host %s cannot be a listed destination, by default or by grant',
  (host) => {
    expect(faultsOf(values({ egress: { destinations: [host] } }))).toEqual([
      expect.stringContaining('values: values.egress.destinations[0]: is a known LLM host'),
    ]);
    expect(faultsOf(exemption({ destinations: [host] }))).toEqual([
      expect.stringContaining('spec.grant.destinations[0]: is a known LLM host'),
    ]);
  },
);

test('values cannot keep an entity', () => {
  expect(faultsOf(values({ policy: { entities: { date: 'keep' } } }))).toEqual([
    'values: values.policy.entities.date: must be "redact" or "block"; an entity is kept only by a GuardExemption (spec.grant.keepEntities)',
  ]);
});

test.each([
  ['monitor', { monitor: true }, '2026-11-30', '2026-12-01'],
  ['unredacted', { unredacted: true }, '2027-10-31', '2027-12-01'],
  ['keepEntities', { keepEntities: ['date'] }, '2027-10-31', '2027-12-01'],
  ['destinations', { destinations: ['example.org'] }, '2027-10-31', '2027-12-01'],
  ['hardening', { hardening: ['B-28'] }, '2027-10-31', '2027-12-01'],
])('a grant of %s has a longest time', (_, grant, allowed, tooLate) => {
  expect(faultsOf(exemption(grant, { until: allowed }))).toEqual([]);
  expect(faultsOf(exemption(grant, { until: tooLate }))).toEqual([
    expect.stringContaining('GuardExemption/grant: spec.until: is too late'),
  ]);
});

test.each([
  ['reason', { reason: undefined }],
  ['approvedBy', { approvedBy: undefined }],
  ['from', { from: undefined }],
  ['until', { until: undefined }],
  ['namespaces', { namespaces: undefined }],
  ['reason', { reason: '  ' }],
  ['namespaces', { namespaces: [] }],
])('an exemption without %s is a fault', (field, over) => {
  expect(faultsOf(exemption({ monitor: true }, over))).toEqual([
    expect.stringContaining(`GuardExemption/grant: spec.${field}: `),
  ]);
});

test('an exemption that ends before it begins, or grants two things, is a fault', () => {
  expect(faultsOf(exemption({ monitor: true }, { until: '2026-10-01' }))).toEqual([
    'GuardExemption/grant: spec.until: must be later than spec.from',
  ]);
  expect(faultsOf(exemption({ monitor: true, unredacted: true }))).toEqual([
    expect.stringContaining('spec.grant: must hold exactly one of'),
  ]);
  expect(faultsOf(exemption({}))).toEqual([expect.stringContaining('spec.grant: must hold exactly one of')]);
});

const STRICT = values({
  egress: { destinations: ['*.example.org'] },
  policy: {
    dates: 'whole',
    entities: { ssn: 'block' },
    maxIdentifiers: 10,
    requireUser: ['header'],
    organization: 'required',
  },
});

test.each([
  ['agreements[0]', { agreements: ['other'] }],
  ['destinations[0]', { destinations: ['other.example'] }],
  ['destinations[0]', { destinations: ['example.org'] }],
  ['paths[0]', { paths: ['POST /v1/messages/batches'] }],
  ['dates', { dates: 'keep-year' }],
  ['entities.ssn', { entities: { ssn: 'redact' } }],
  ['maxIdentifiers', { maxIdentifiers: 11 }],
  ['media', { media: 'allow' }],
  ['requireUser', { requireUser: [] }],
  ['requireUser[0]', { requireUser: ['body'] }],
  ['organization', { organization: 'when-pinned' }],
])('an EgressPolicy that would widen by %s is a fault that names the field', (field, spec) => {
  expect(faultsOf(agreement(), STRICT, egressPolicy(spec))).toEqual([
    expect.stringContaining(`EgressPolicy/phi/narrow: spec.${field}: would widen: `),
  ]);
});

test('an EgressPolicy may name what an exemption of its own namespace grants, and of no other', () => {
  const granted = exemption({ destinations: ['registry.example'] });
  expect(faultsOf(granted, egressPolicy({ destinations: ['registry.example'] }))).toEqual([]);
  expect(faultsOf(granted, egressPolicy({ destinations: ['registry.example'] }, 'narrow', 'other'))).toHaveLength(1);
});

test('a fault of one document does not accuse those that refer to it', () => {
  expect(faultsOf(agreement({ product: 7 }), egressPolicy({ agreements: ['anthropic-api'] }))).toEqual([
    'ProviderAgreement/anthropic-api: spec.product: must be of type string; in YAML put it in quotes',
  ]);
});

test('a narrowing EgressPolicy is no fault', () => {
  const spec = {
    agreements: ['anthropic-api'],
    destinations: ['a.example.org'],
    dates: 'whole',
    entities: { ssn: 'block', mrn: 'block' },
    maxIdentifiers: 5,
    requireUser: ['header'],
    organization: 'required',
  };
  expect(sourceOf(agreement(), STRICT, egressPolicy(spec)).egress).toHaveLength(1);
});

test('any text gives a source or faults, never an exception', () => {
  const word = fc.constantFrom(
    'kind: ',
    'ProviderAgreement',
    'values:',
    '\n',
    '  ',
    '---',
    '- ',
    '[',
    '{',
    '&a ',
    '*a',
    '!!js ',
    '"',
    'metadata',
    'spec: ',
    '? ',
    '<<: ',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(word).map((words) => words.join('')),
    fc.json(),
  );
  fc.assert(
    fc.property(text, (source) => {
      const result = readSource(source);
      expect(result.ok || result.faults.length > 0).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});
