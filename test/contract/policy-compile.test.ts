import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Host } from '#contract/brand.ts';
import { ENTITIES } from '#contract/entity.ts';
import { hostMatches } from '#contract/host.ts';
import { compilePolicy } from '#contract/policy-compile.ts';
import { connectionPolicy } from '#contract/policy-connection.ts';
import { decideExchange, redactionAt } from '#contract/policy-decision.ts';
import { EGRESS_SPEC, RESOURCES } from '#contract/policy-schema.ts';
import { POLICY } from '#contract/policy.ts';
import {
  agreement,
  egressPolicy,
  exemption,
  facts,
  match,
  NOW,
  policyOf,
  sourceOf,
  values,
  WORKLOAD,
} from './policy-fixture.ts';

test('a compiled policy survives its own schema, through JSON', () => {
  const policy = policyOf(
    agreement(),
    values({ egress: { destinations: ['example.org'] } }),
    exemption({ keepEntities: ['date'] }),
    egressPolicy({ maxIdentifiers: 5 }),
  );
  expect(POLICY.parse(JSON.parse(JSON.stringify(policy)))).toEqual(policy);
});

test('a policy with an unknown or a missing field is not understood in part', () => {
  const policy = policyOf(agreement());
  const { media: _, ...partial } = policy;
  expect(POLICY.safeParse({ ...policy, later: true }).success).toBe(false);
  expect(POLICY.safeParse(partial).success).toBe(false);
});

test('the same source gives the same policy, byte for byte', () => {
  const compile = () => JSON.stringify(policyOf(agreement(), egressPolicy({ maxIdentifiers: 5 })));
  expect(compile()).toBe(compile());
});

test('the hash of an agreement changes with its text', () => {
  const hash = (product: string) => policyOf(agreement({ product })).agreements[0]?.hash;
  expect(hash('Claude API')).not.toBe(hash('Claude API.'));
});

test.each([
  ['its own namespace, no selector', { namespace: 'phi' }, {}, true],
  ['another namespace', { namespace: 'other' }, {}, false],
  ['matching labels', { namespace: 'phi' }, { app: 'triage' }, true],
  ['other labels', { namespace: 'phi' }, { app: 'billing' }, false],
  ['one of two labels', { namespace: 'phi' }, { app: 'triage', tier: 'x' }, false],
])('an EgressPolicy with %s applies: %s', (_, { namespace }, matchLabels, applies) => {
  const policy = policyOf(egressPolicy({ podSelector: { matchLabels }, maxIdentifiers: 5 }, 'narrow', namespace));
  expect(policy.maxIdentifiers).toBe(applies ? 5 : null);
});

test.each([
  ['its namespace', { namespaces: ['phi'] }, true],
  ['another namespace', { namespaces: ['other'] }, false],
  ['other labels', { podSelector: { matchLabels: { app: 'billing' } } }, false],
])('an exemption for %s applies: %s', (_, over, applies) => {
  expect(policyOf(exemption({ monitor: true }, over)).grants.monitor).toHaveLength(applies ? 1 : 0);
});

test('EgressPolicies of one pod all hold, whatever their order', () => {
  const one = egressPolicy({ maxIdentifiers: 5, entities: { ssn: 'block' }, requireUser: ['header', 'jwt'] }, 'one');
  const two = egressPolicy(
    { maxIdentifiers: 9, entities: { mrn: 'block' }, requireUser: ['jwt', 'body'], dates: 'whole', media: 'deny' },
    'two',
  );
  for (const policy of [policyOf(one, two), policyOf(two, one)]) {
    expect(policy).toMatchObject({ maxIdentifiers: 5, requireUser: ['jwt'], dates: 'whole', media: 'deny' });
    expect([...policy.blockEntities].sort()).toEqual(['mrn', 'ssn']);
  }
});

test('destinations are the intersection of what the cluster lists and the namespace wants', () => {
  const policy = policyOf(
    values({ egress: { destinations: ['*.example.org', 'one.example', 'two.example'] } }),
    egressPolicy({ destinations: ['a.example.org', 'one.example'] }),
  );
  expect(policy.destinations.map(({ pattern }) => pattern)).toEqual(['a.example.org', 'one.example']);
});

test('a wide destination of a namespace never widens a narrow one of the cluster', () => {
  const source = sourceOf(values({ egress: { destinations: ['a.example.org'] } }));
  const document = {
    apiVersion: 'lazaret.dev/v1alpha1',
    kind: 'EgressPolicy',
    metadata: { name: 'n', namespace: 'phi' },
    spec: EGRESS_SPEC.parse({ destinations: ['*.example.org'] }),
  } as const;
  expect(compilePolicy({ ...source, egress: [document] }, WORKLOAD).destinations.map(({ pattern }) => pattern)).toEqual(
    ['a.example.org'],
  );
});

const GRANT_ENDS = Date.parse('2026-12-01T00:00:00Z');

test('a grant ends with its last day, by the clock of whoever asks', () => {
  const policy = policyOf(
    exemption({ monitor: true }),
    exemption({ destinations: ['registry.example'] }, {}, 'two'),
    exemption({ keepEntities: ['date'] }, {}, 'three'),
    exemption({ unredacted: true }, { from: '2026-11-23' }, 'four'),
  );
  expect(connectionPolicy(policy, GRANT_ENDS - 1)).toMatchObject({ monitor: true, destinations: ['registry.example'] });
  expect(connectionPolicy(policy, GRANT_ENDS)).toMatchObject({ monitor: false, destinations: [] });
  expect(redactionAt(policy, NOW).actions).toMatchObject({ date: 'keep', name: 'redact' });
  expect(redactionAt(policy, GRANT_ENDS - 1).actions).toMatchObject({ date: 'keep', name: 'keep' });
  expect(redactionAt(policy, GRANT_ENDS).actions).toMatchObject({ date: 'redact', name: 'redact' });
});

test('what a namespace blocks stays blocked under a grant to keep it', () => {
  const policy = policyOf(exemption({ unredacted: true }), egressPolicy({ entities: { ssn: 'block' } }));
  expect(redactionAt(policy, NOW).actions).toMatchObject({ ssn: 'block', name: 'keep' });
});

test('the connection policy names every agreement’s hosts once, in force or not', () => {
  const expired = agreement({ contract: { status: 'none' } }, 'two');
  const connection = connectionPolicy(
    policyOf(agreement(), expired, values({ network: { clusterCIDRs: ['192.0.2.0/24'], resolvers: ['192.0.2.10'] } })),
    NOW,
  );
  expect(connection).toEqual({
    destinations: [],
    agreementHosts: ['api.anthropic.com'],
    clusterCidrs: ['192.0.2.0/24'],
    resolvers: ['192.0.2.10'],
    monitor: false,
  });
});

// The properties below try EgressPolicies that `parseSource` would refuse as well: narrowing must not depend on the linter.
const HOSTS = ['api.anthropic.com', 'api.openai.com', 'openrouter.ai', 'vllm.models.svc', 'a.example.org'] as const;
const PATHS = ['POST /v1/messages', 'POST /v1/chat/completions', 'POST /v1/*'] as const;
const MODELS = ['claude-sonnet-5', 'claude-*', 'gpt-*', '*'] as const;
const NAMES = ['one', 'two', 'three', 'four'] as const;
const some = <T>(items: readonly T[]) => fc.subarray([...items]);
const optional = <T>(arb: fc.Arbitrary<T>) => fc.option(arb, { nil: undefined });

const anAgreement = fc.record({
  provider: fc.constant('P'),
  product: fc.constant('Q'),
  kind: fc.constantFrom('api', 'self-hosted', 'coding'),
  match: fc.record({
    hosts: fc.subarray([...HOSTS, '*.example.org'], { minLength: 1 }),
    paths: fc.subarray([...PATHS], { minLength: 1 }),
    allowModels: some(MODELS),
    denyModels: some(MODELS),
  }),
  routesTo: some(NAMES),
  contract: fc.constantFrom({ status: 'signed', ref: 'R', signedOn: '2026-01-01' }, { status: 'none' }),
});

const anEgressSpec = fc.record(
  {
    agreements: some(NAMES),
    destinations: some(['*.example.org', 'a.example.org', '*.org.example']),
    paths: some(PATHS),
    allowModels: some(MODELS),
    denyModels: some(MODELS),
    denyFeatures: some(['tool:*', 'beta:unknown']),
    dates: fc.constantFrom('keep-year', 'whole'),
    entities: fc.dictionary(fc.constantFrom(...ENTITIES), fc.constantFrom('redact', 'block')),
    maxIdentifiers: fc.integer({ min: 1, max: 20 }),
    media: fc.constantFrom('deny', 'allow'),
    requireUser: some(['jwt', 'header', 'body']),
    organization: fc.constantFrom('when-pinned', 'required'),
  },
  { requiredKeys: [] },
);

const someValues = fc.record({
  egress: fc.record({ destinations: some(['*.example.org', 'b.example.org', 'a.example.org']) }),
  policy: fc.record(
    {
      media: fc.constantFrom('deny', 'allow'),
      requireUser: some(['jwt', 'header', 'body']),
      maxIdentifiers: optional(fc.integer({ min: 1, max: 20 })),
      allowModels: some(MODELS),
      entities: fc.constantFrom({}, { ssn: 'block' }),
    },
    { requiredKeys: ['media', 'requireUser', 'allowModels', 'entities'] },
  ),
});

const someFacts = fc.record({
  host: fc.constantFrom(...HOSTS) as fc.Arbitrary<Host>,
  secure: fc.boolean(),
  path: fc.constantFrom('/v1/messages', '/v1/chat/completions', '/v1/files'),
  model: fc.constantFrom('claude-sonnet-5', 'gpt-5', null),
  features: some(['tool:bash', 'beta:unknown', 'media:image']),
  user: fc.constantFrom('jwt', 'header', 'workload'),
  userInBody: fc.boolean(),
} as const);

const someSource = fc.record({
  agreements: fc.array(anAgreement, { maxLength: 4 }),
  values: someValues,
  monitored: fc.boolean(),
});

function withoutFaultCheck(input: { agreements: readonly unknown[]; values: unknown; monitored: boolean }) {
  const { agreements, ...rest } = sourceOf(
    values(input.values as never),
    ...(input.monitored ? [exemption({ monitor: true })] : []),
  );
  const documents = input.agreements.map((spec, i) => ({ ...agreement({}, NAMES[i]), spec }));
  return {
    ...rest,
    agreements: [...agreements, ...documents.map((document) => RESOURCES.ProviderAgreement.parse(document))],
  };
}

test('adding an EgressPolicy never turns a refusal into an allowance, and never allows a destination', () => {
  let refused = 0;
  let narrowed = 0;
  fc.assert(
    fc.property(someSource, anEgressSpec, someFacts, (input, spec, over) => {
      const source = withoutFaultCheck(input);
      const added = RESOURCES.EgressPolicy.parse(egressPolicy(spec));
      const before = compilePolicy(source, WORKLOAD);
      const after = compilePolicy({ ...source, egress: [added] }, WORKLOAD);
      const decisions = [before, after].map((policy) => decideExchange(policy, facts(over), NOW));
      const strict = decisions.map((decision) =>
        decision.kind === 'refuse' ? decision.refusal.reason : (decision.would ?? null),
      );
      if (strict[0] !== null) expect(strict[1]).not.toBeNull();
      if (strict[0] !== null) refused++;
      else if (strict[1] !== null) narrowed++;
      for (const host of ['a.example.org', 'b.example.org', 'c.example.org', 'x.org.example'] as Host[]) {
        const reaches = (policy: typeof before) =>
          policy.destinations.some(({ pattern }) => hostMatches(pattern, host));
        if (!reaches(before)) expect(reaches(after)).toBe(false);
      }
      const [was, is] = [redactionAt(before, NOW), redactionAt(after, NOW)];
      for (const entity of ENTITIES) if (was.actions[entity] !== 'keep') expect(is.actions[entity]).not.toBe('keep');
      for (const entity of ENTITIES) if (was.actions[entity] === 'block') expect(is.actions[entity]).toBe('block');
      expect(is.maxIdentifiers ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(
        was.maxIdentifiers ?? Number.POSITIVE_INFINITY,
      );
    }),
    { numRuns: 1_000 },
  );
  // The property holds of nothing if the generator meets no case of it.
  expect(refused).toBeGreaterThan(50);
  expect(narrowed).toBeGreaterThan(10);
});

test('a specific agreement that denies is not undone by a namespace that leaves it out', () => {
  const wide = agreement({}, 'wide');
  const specific = agreement({ ...match({ regions: ['us-east-1'] }), contract: { status: 'none' } }, 'specific');
  const asked = facts({ region: 'us-east-1' });
  expect(decideExchange(policyOf(wide, specific), asked, NOW).kind).toBe('refuse');
  expect(decideExchange(policyOf(wide, specific, egressPolicy({ agreements: ['wide'] })), asked, NOW).kind).toBe(
    'refuse',
  );
});

test('a grant that outlasts its bound ends at the bound, whoever compiled it', () => {
  const source = sourceOf(values({}));
  const endless = RESOURCES.GuardExemption.parse(exemption({ monitor: true }, { until: '2099-12-31' }));
  const [window] = compilePolicy({ ...source, exemptions: [endless] }, WORKLOAD).grants.monitor;
  expect(window?.until).toBe(Date.parse('2026-12-01T00:00:00Z'));
});
