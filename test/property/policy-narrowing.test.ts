import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Host } from '#contract/brand.ts';
import { ENTITIES } from '#contract/entity.ts';
import { hostMatches } from '#contract/host.ts';
import { connectionPolicy } from '#contract/policy-connection.ts';
import { decideExchange } from '#contract/policy-decision.ts';
import type { ExchangeFacts } from '#contract/policy-facts.ts';
import { POLICY, type Policy } from '#contract/policy.ts';
import { PolicyCache } from '#controller/policy/policy-cache.ts';
import type { PolicyInputs, RawObject } from '#controller/ports.ts';
import { agreement, egressPolicy, exemption } from '#test/fake/cluster-view.ts';

const NOW = Date.UTC(2026, 10, 10);
const HOSTS = ['api.anthropic.com', 'api.openai.com', 'llm.ward.example'] as const;
const PATHS = ['/v1/messages', '/v1/chat/completions', '/v1/files'] as const;
const MODELS = ['claude-x', 'gpt-y'] as const;
const DESTINATIONS = ['packages.example.org', 'a.internal.example.org', 'evil.example.com'] as const;

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const tidy = (object: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

const agreements = fc
  .array(
    fc.record({
      hosts: fc.constantFrom(['api.anthropic.com'], ['*.anthropic.com'], ['api.openai.com', 'llm.ward.example']),
      paths: fc.constantFrom(['POST /v1/messages'], ['POST /v1/*'], ['POST /v1/chat/completions', 'POST /v1/files']),
      denyModels: fc.subarray(['claude-*', 'gpt-*']),
      signed: fc.boolean(),
    }),
    { maxLength: 4 },
  )
  .map((list) =>
    list.map(({ signed, ...match }, index) =>
      agreement(`agreement-${index}`, {
        match,
        contract: signed ? { status: 'signed', ref: 'BAA', signedOn: '2026-01-01' } : { status: 'available' },
      }),
    ),
  );

/** Wide agreements in force that narrow ones, not in force, take back in part: to lose one of the narrow would widen. */
const layered = agreements.map((list) => [
  agreement('wide', { match: { hosts: ['*.anthropic.com'], paths: ['POST /v1/*'] } }),
  agreement('narrow', { contract: { status: 'none' } }),
  ...list,
]);

const egressSpec = fc
  .record({
    podSelector: maybe(fc.constantFrom({}, { matchLabels: { app: 'triage' } }, { matchLabels: { app: 'other' } })),
    agreements: maybe(fc.subarray(['agreement-0', 'agreement-1', 'gone'])),
    destinations: maybe(fc.subarray([...DESTINATIONS, '*.internal.example.org', '*.example.org'])),
    paths: maybe(fc.subarray(['POST /v1/messages', 'POST /v1/*'])),
    allowModels: maybe(fc.subarray(['claude-*', 'gpt-*'])),
    denyModels: maybe(fc.subarray(['claude-*', 'gpt-*'])),
    denyFeatures: maybe(fc.subarray(['tool:*'])),
    dates: maybe(fc.constantFrom('keep-year', 'whole')),
    entities: maybe(fc.dictionary(fc.constantFrom('ssn', 'mrn'), fc.constantFrom('redact', 'block'))),
    maxIdentifiers: maybe(fc.integer({ min: 1, max: 100 })),
    media: maybe(fc.constantFrom('deny', 'allow')),
    requireUser: maybe(fc.subarray(['jwt', 'header', 'body'])),
    organization: maybe(fc.constantFrom('when-pinned', 'required')),
  })
  .map(tidy);

const values = fc
  .record({
    egress: fc.record({ destinations: fc.subarray(['packages.example.org', '*.internal.example.org']) }),
    policy: fc
      .record({
        dates: maybe(fc.constantFrom('keep-year', 'whole')),
        entities: maybe(fc.dictionary(fc.constantFrom('ssn', 'mrn'), fc.constantFrom('redact', 'block'))),
        maxIdentifiers: maybe(fc.integer({ min: 1, max: 100 })),
        media: maybe(fc.constantFrom('deny', 'allow')),
        requireUser: maybe(fc.subarray(['jwt', 'header', 'body'])),
        organization: maybe(fc.constantFrom('when-pinned', 'required')),
        allowModels: maybe(fc.subarray(['claude-*', 'gpt-*'])),
      })
      .map(tidy),
  })
  .map((group): unknown => group);

const grants = fc.constantFrom(
  { monitor: true },
  { unredacted: true },
  { keepEntities: ['ssn', 'name'] },
  { destinations: ['evil.example.com'] },
);
const exemptions = fc
  .array(fc.record({ grant: grants, podSelector: fc.constantFrom({}, { matchLabels: { app: 'triage' } }) }), {
    maxLength: 2,
  })
  .map((list) => list.map((spec, index) => exemption(`exemption-${index}`, spec)));

const cluster = fc.record({ agreements: fc.oneof(agreements, layered), values, exemptions });

const questions: readonly ExchangeFacts[] = HOSTS.flatMap((host) =>
  PATHS.flatMap((path) =>
    MODELS.flatMap((model) =>
      (['workload', 'header', 'jwt'] as const).flatMap((user) =>
        [[], ['tool:web_search'], ['media:image']].map(
          (features): ExchangeFacts => ({
            host: host as Host,
            secure: true,
            method: 'POST',
            path,
            dialect: 'some',
            credential: { kind: 'api-key', fingerprint: 'f'.repeat(32), startsWith: () => false, prefix: '' },
            user,
            model,
            features,
            userInBody: false,
          }),
        ),
      ),
    ),
  ),
);

function compile(inputs: Partial<PolicyInputs>, labels = { app: 'triage' }): Policy {
  const cache = new PolicyCache();
  const judged = cache.judge({ agreements: [], egress: [], exemptions: [], values: {}, revision: 1, ...inputs });
  return cache.compile(judged, { namespace: 'clinic', labels }).policy;
}

/** Everything that `narrow` lets through, `wide` lets through too, and treats no more strictly. */
function expectNarrower(narrow: Policy, wide: Policy): void {
  expect(POLICY.safeParse(narrow).success).toBe(true);
  for (const facts of questions) {
    const [inner, outer] = [decideExchange(narrow, facts, NOW), decideExchange(wide, facts, NOW)];
    if (inner.kind === 'refuse') continue;
    if (outer.kind === 'refuse') throw new Error(`narrow allows what wide refuses: ${facts.host} ${facts.path}`);
    // What a monitor grant would not have stopped was covered.
    if (inner.would === undefined && outer.would !== undefined)
      throw new Error(`narrow covers more: ${facts.host} ${facts.path}`);
    if (inner.mode === 'monitor') expect(outer.mode).toBe('monitor');
    if (inner.allowMedia) expect(outer.allowMedia).toBe(true);
    for (const entity of ENTITIES) {
      const [a, b] = [inner.redaction.actions[entity], outer.redaction.actions[entity]];
      if (a === 'keep') expect(b).toBe('keep');
      if (b === 'block') expect(a).toBe('block');
    }
    if (outer.redaction.dates === 'whole') expect(inner.redaction.dates).toBe('whole');
    if (outer.redaction.maxIdentifiers !== null)
      expect(inner.redaction.maxIdentifiers ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(
        outer.redaction.maxIdentifiers,
      );
  }
  const [inner, outer] = [connectionPolicy(narrow, NOW), connectionPolicy(wide, NOW)];
  for (const name of [...DESTINATIONS, 'b.internal.example.org', 'internal.example.org'])
    if (inner.destinations.some((pattern) => hostMatches(pattern, name as Host)))
      expect(outer.destinations.some((pattern) => hostMatches(pattern, name as Host))).toBe(true);
}

/** A fault that a schema sees, somewhere in a specification; the fields that say for what it speaks stay readable. */
const corrupt = (raw: RawObject): fc.Arbitrary<RawObject> =>
  fc
    .constantFrom<Readonly<Record<string, unknown>>>(
      { unknown: 1 },
      { product: 7, reason: 7, media: 7 },
      { contract: { status: 'sgned' }, grant: {}, dates: 'x' },
      { lastVerified: 3, approvedBy: null, maxIdentifiers: 0 },
    )
    .map((fault) => ({ ...raw, spec: { ...(raw.spec as object), ...fault } }));

describe('policy', () => {
  test('of a namespace only narrows, whatever its EgressPolicies say and in whatever order', () => {
    fc.assert(
      fc.property(
        cluster,
        fc.array(egressSpec, { maxLength: 3 }),
        fc.array(fc.nat(), { minLength: 3, maxLength: 3 }),
        (base, specs, order) => {
          const egress = specs.map((spec, index) => egressPolicy('clinic', `egress-${index}`, spec));
          const wide = compile(base);
          const narrow = compile({ ...base, egress });
          expectNarrower(narrow, wide);
          const turned = compile({
            ...base,
            egress: egress.toSorted((a, b) => (order[egress.indexOf(a)] ?? 0) - (order[egress.indexOf(b)] ?? 0)),
          });
          for (const facts of questions)
            expect(decideExchange(turned, facts, NOW).kind).toBe(decideExchange(narrow, facts, NOW).kind);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('with a fault in any resource never gives more than without the fault', () => {
    const faulty = fc
      .record({ base: cluster, specs: fc.array(egressSpec, { minLength: 1, maxLength: 2 }) })
      .map(({ base, specs }) => ({
        ...base,
        egress: specs.map((spec, i) => egressPolicy('clinic', `egress-${i}`, spec)),
      }))
      .chain((good) =>
        fc.record({
          good: fc.constant(good),
          bad: fc
            .constantFrom('agreements' as const, 'egress' as const, 'exemptions' as const)
            .chain((kind) =>
              good[kind].length === 0
                ? fc.constant(good)
                : fc
                    .nat(good[kind].length - 1)
                    .chain((at) =>
                      corrupt(good[kind][at]!).map((raw) => ({ ...good, [kind]: good[kind].with(at, raw) })),
                    ),
            ),
        }),
      );
    fc.assert(
      fc.property(faulty, ({ good, bad }) => expectNarrower(compile(bad), compile(good))),
      { numRuns: 150 },
    );
  });

  test('without an agreement covers nothing that only that agreement covered', () => {
    fc.assert(
      fc.property(cluster, egressSpec, (base, spec) => {
        const egress = [egressPolicy('clinic', 'egress', spec)];
        const policy = compile({ ...base, egress, agreements: [] });
        for (const facts of questions) {
          const decision = decideExchange(policy, facts, NOW);
          if (decision.kind !== 'refuse') expect(decision.would).toBeDefined();
        }
      }),
      { numRuns: 20 },
    );
  });
});
