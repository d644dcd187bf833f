import { describe, expect, test } from 'vitest';
import type { Host } from '#contract/brand.ts';
import { decideHead } from '#contract/policy-decision.ts';
import type { Policy } from '#contract/policy.ts';
import { POLICY } from '#contract/policy.ts';
import { judgePolicy } from '#controller/policy/judge.ts';
import { PolicyCache } from '#controller/policy/policy-cache.ts';
import type { PolicyInputs, RawObject } from '#controller/ports.ts';
import { agreement, egressPolicy, exemption } from '#test/fake/cluster-view.ts';

const NOW = Date.UTC(2026, 10, 10);
const EMPTY: PolicyInputs = { agreements: [], egress: [], exemptions: [], values: {}, revision: 1 };

function policyOf(inputs: Partial<PolicyInputs>, namespace = 'clinic', labels = {}): Policy {
  const cache = new PolicyCache();
  return cache.compile(cache.judge({ ...EMPTY, ...inputs }), { namespace, labels }).policy;
}

function decide(policy: Policy, host = 'api.anthropic.com', path = '/v1/messages'): string {
  const decision = decideHead(
    policy,
    {
      host: host as Host,
      secure: true,
      method: 'POST',
      path,
      dialect: 'anthropic-messages',
      credential: { kind: 'api-key', fingerprint: 'f'.repeat(32), startsWith: () => false, prefix: '' },
      user: 'workload',
    },
    NOW,
  );
  return decision.kind === 'refuse' ? decision.refusal.reason : decision.mode;
}

function faultsOf(inputs: Partial<PolicyInputs>): readonly string[] {
  const { verdicts, valuesFaults } = judgePolicy({ ...EMPTY, ...inputs });
  return [...verdicts.flatMap(({ faults }) => faults), ...valuesFaults].map(
    ({ document, field }) => `${document} ${field}`,
  );
}

function broken(raw: RawObject, spec: Readonly<Record<string, unknown>>): RawObject {
  return { ...raw, spec: { ...(raw.spec as object), ...spec } };
}

describe('a faulty agreement', () => {
  test('is not in force, and the others are', () => {
    const bad = broken(agreement('bad'), { kind: 'subscription' });
    const openai = agreement('openai', {
      provider: 'OpenAI',
      match: { hosts: ['api.openai.com'], paths: ['POST /v1/chat/completions'] },
    });
    const policy = policyOf({ agreements: [bad, openai] });
    expect(decide(policy)).toBe('agreement_missing');
    expect(decide(policy, 'api.openai.com', '/v1/chat/completions')).toBe('enforce');
    expect(faultsOf({ agreements: [bad, openai] })).toEqual(['ProviderAgreement/bad spec.kind']);
  });

  test('that takes back what a wider one gives still takes it back', () => {
    const wide = agreement('wide', { match: { hosts: ['*.anthropic.com'], paths: ['POST /v1/*'] } });
    const narrow = agreement('narrow', { contract: { status: 'none' } });
    expect(decide(policyOf({ agreements: [wide] }))).toBe('enforce');
    expect(decide(policyOf({ agreements: [wide, narrow] }))).toBe('agreement_missing');
    for (const fault of [
      { product: 7 },
      { unknown: true },
      { contract: { status: 'signd' } },
      { lastVerified: 'yesterday' },
    ])
      expect(decide(policyOf({ agreements: [wide, broken(narrow, fault)] }))).toBe('agreement_missing');
  });

  test.each([
    { hosts: ['https://api.anthropic.com/'], paths: ['POST /v1/messages'] },
    { hosts: ['API.Anthropic.com.'], paths: ['post v1/messages'] },
    { hosts: ['api.anthropic.com', 4], paths: ['POST  /v1/messages '] },
    { hosts: ['api.anthropic.com'] },
    { hosts: ['api.anthropic.com'], paths: 'POST /v1/messages' },
    { hosts: ['api.anthropic.com'], paths: ['?'] },
  ])('still speaks for the hosts that can be told from %o', (match) => {
    const wide = agreement('wide', { match: { hosts: ['*.anthropic.com'], paths: ['POST /v1/messages'] } });
    expect(decide(policyOf({ agreements: [wide, broken(agreement('narrow'), { match })] }))).toBe('agreement_missing');
  });

  test.each([
    ['a consumer product', { match: { hosts: ['claude.ai'], paths: ['POST /v1/messages'] } }, 'spec.match.hosts[0]'],
    ['a known provider as one of our own', { kind: 'self-hosted' }, 'spec.match.hosts[0]'],
    ['a vendor that is not there', { routesTo: ['nobody'] }, 'spec.routesTo[0]'],
    [
      'a plan token without an organization',
      {
        match: {
          hosts: ['api.anthropic.com'],
          paths: ['POST /v1/messages'],
          credential: { kinds: ['api-key', 'oauth'] },
        },
      },
      'spec.match.organization.ids',
    ],
  ])('by what other documents say (%s) is not in force either', (_, spec, field) => {
    const inputs = { agreements: [agreement('odd', spec)] };
    expect(faultsOf(inputs)).toEqual([`ProviderAgreement/odd ${field}`]);
    expect(decide(policyOf(inputs))).toBe('agreement_missing');
  });

  test('in any shape is judged and never throws', () => {
    for (const spec of [undefined, null, 7, [], { match: null }, { match: { hosts: {}, paths: [null], regions: 3 } }]) {
      const raw: RawObject = {
        apiVersion: 'lazaret.dev/v1alpha1',
        kind: 'ProviderAgreement',
        metadata: { name: 'odd' },
        spec,
      };
      const policy = policyOf({ agreements: [raw] });
      expect(POLICY.safeParse(policy).success).toBe(true);
      expect(decide(policy)).toBe('agreement_missing');
    }
  });
});

describe('a faulty EgressPolicy', () => {
  const inputs = {
    agreements: [agreement('anthropic')],
    values: { egress: { destinations: ['packages.example.org'] } },
    exemptions: [exemption('trial', { grant: { monitor: true } })],
  };
  const bad = egressPolicy('clinic', 'bad', { podSelector: { matchLabels: { app: 'one' } }, denyModel: ['x'] });

  test('makes its namespace refuse everything, grants and destinations included', () => {
    expect(decide(policyOf(inputs))).toBe('monitor');
    const policy = policyOf({ ...inputs, egress: [bad] });
    expect(decide(policy)).toBe('agreement_missing');
    expect(policy.destinations).toEqual([]);
    expect(policy.grants).toEqual({ monitor: [], unredacted: [], keepEntities: [] });
    expect(faultsOf({ ...inputs, egress: [bad] })).toEqual(['EgressPolicy/clinic/bad spec.denyModel']);
  });

  test('leaves other namespaces as they are', () => {
    expect(decide(policyOf({ ...inputs, egress: [bad] }, 'ward'))).toBe('enforce');
  });

  test('that says no namespace makes every namespace refuse', () => {
    const nowhere = { ...bad, metadata: { name: 'bad' } };
    expect(decide(policyOf({ ...inputs, egress: [nowhere] }, 'ward'))).toBe('agreement_missing');
  });

  test('that asks for more than there is holds in what it takes away, and gives nothing', () => {
    const wish = egressPolicy('clinic', 'wish', {
      maxIdentifiers: 50,
      agreements: ['anthropic', 'gone'],
      destinations: ['evil.example.com'],
      media: 'allow',
      denyModels: ['x-*'],
    });
    const given = { ...inputs, exemptions: [], egress: [wish], values: { policy: { maxIdentifiers: 10 } } };
    const policy = policyOf(given);
    expect(policy).toMatchObject({ maxIdentifiers: 10, media: 'deny', destinations: [], denyModels: ['x-*'] });
    expect(decide(policy)).toBe('enforce');
    expect(faultsOf(given)).toEqual([
      'EgressPolicy/clinic/wish spec.agreements[1]',
      'EgressPolicy/clinic/wish spec.destinations[0]',
      'EgressPolicy/clinic/wish spec.maxIdentifiers',
      'EgressPolicy/clinic/wish spec.media',
    ]);
  });
});

describe('a faulty exemption', () => {
  test.each([
    ['without a reason', { reason: '', grant: { monitor: true } }],
    ['that lasts too long', { until: '2027-05-01', grant: { monitor: true } }],
    ['that ends before it begins', { until: '2026-10-01', grant: { unredacted: true } }],
    ['that grants two things', { grant: { monitor: true, unredacted: true } }],
    ['that lists an LLM host', { grant: { destinations: ['api.openai.com'] } }],
  ])('%s grants nothing', (_, spec) => {
    const inputs = { agreements: [agreement('anthropic')], exemptions: [exemption('odd', spec)] };
    const policy = policyOf(inputs);
    expect(policy.grants).toEqual({ monitor: [], unredacted: [], keepEntities: [] });
    expect(policy.destinations).toEqual([]);
    expect(decide(policy)).toBe('enforce');
    expect(judgePolicy({ ...EMPTY, ...inputs }).source.exemptions).toEqual([]);
    expect(faultsOf(inputs)).not.toEqual([]);
  });
});

describe('faulty values', () => {
  const agreements = [agreement('anthropic')];

  test('of policy lock every namespace, and leave destinations as they are', () => {
    const values = { policy: { entities: { ssn: 'blok' } }, egress: { destinations: ['packages.example.org'] } };
    const policy = policyOf({ agreements, values });
    expect(decide(policy)).toBe('agreement_missing');
    expect(policy.destinations.map(({ pattern }) => pattern)).toEqual(['packages.example.org']);
    expect(faultsOf({ values })).toEqual(['values values.policy.entities.ssn']);
  });

  test('of one group leave the others in force', () => {
    const values = {
      egress: { destinations: ['https://packages.example.org'] },
      policy: { entities: { ssn: 'block' } },
    };
    const policy = policyOf({ agreements, values });
    expect(policy).toMatchObject({ destinations: [], blockEntities: ['ssn'] });
    expect(decide(policy)).toBe('enforce');
  });

  test('that are not there, or nothing that has fields, lock', () => {
    for (const values of [null, undefined, 'text', []])
      expect(decide(policyOf({ agreements, values }))).toBe('agreement_missing');
  });

  test('never list an LLM host as a destination', () => {
    const values = { egress: { destinations: ['packages.example.org', 'api.openai.com'] } };
    expect(policyOf({ values }).destinations).toEqual([{ pattern: 'packages.example.org', window: null }]);
    expect(faultsOf({ values })).toEqual(['values values.egress.destinations[1]']);
  });

  test('that belong to other parts of the chart are none of ours', () => {
    const values = {
      sidecar: { logLevel: 'x' },
      egress: { proxy: 'http://p:1' },
      network: { udpAllowed: ['a'], resolvers: null },
    };
    expect(faultsOf({ values })).toEqual([]);
    expect(decide(policyOf({ agreements, values }))).toBe('enforce');
  });
});

describe('the cache', () => {
  test('gives one policy to all workloads that policy does not tell apart', () => {
    const cache = new PolicyCache();
    const egress = [
      egressPolicy('clinic', 'narrow', { podSelector: { matchLabels: { app: 'triage' } }, media: 'deny' }),
    ];
    const judged = cache.judge({ ...EMPTY, egress });
    const compile = (namespace: string, labels = {}) => cache.compile(judged, { namespace, labels });
    expect(compile('one', { app: 'x' })).toBe(compile('two'));
    expect(compile('clinic', { app: 'x', pod: '1' })).toBe(compile('clinic', { app: 'x', pod: '2' }));
    expect(compile('clinic', { app: 'triage' })).not.toBe(compile('clinic', { app: 'x' }));
    expect(compile('clinic')).not.toBe(compile('clinic', { app: 'null' }));
  });

  test('reads inputs that changed anew even when their revision did not', () => {
    const cache = new PolicyCache();
    const before = cache.judge({ ...EMPTY, agreements: [agreement('anthropic')] });
    expect(cache.judge({ ...EMPTY, agreements: [] })).not.toBe(before);
  });

  test('writes a policy as its JSON', () => {
    const cache = new PolicyCache();
    const judged = cache.judge({ ...EMPTY, agreements: [agreement('anthropic')] });
    const { policy, text } = cache.compile(judged, { namespace: 'clinic', labels: {} });
    expect(JSON.parse(text())).toEqual(JSON.parse(JSON.stringify(policy)));
  });
});
