import { expect, test } from 'vitest';
import type { Host } from '#contract/brand.ts';
import { classifyCredential, fingerprintKey } from '#contract/policy-credential.ts';
import type { ExchangeFacts } from '#contract/policy-facts.ts';
import { barKey, NO_BARRED_KEYS } from '#contract/policy-organization.ts';
import type { Policy } from '#contract/policy.ts';
import { decideExchange, decideHead } from '#sidecar/policy/decide-exchange.ts';
import type { Spec } from '../../contract/policy-fixture.ts';
import {
  agreement,
  contract,
  egressPolicy,
  exemption,
  facts,
  match,
  NOW,
  policyOf,
  values,
} from '../../contract/policy-fixture.ts';

function force(policy: Policy | 'missing' | 'stale') {
  return { policy, barred: NO_BARRED_KEYS };
}

/** The reason for a refusal, or `allow`. */
function verdict(documents: readonly Spec[], over: Partial<ExchangeFacts> = {}, now = NOW): string {
  const decision = decideExchange(force(policyOf(...documents)), facts(over), now);
  return decision.kind === 'allow' ? 'allow' : decision.refusal.reason;
}

const key = (value: string) => classifyCredential([['authorization', `Bearer ${value}`]]);
const host = (name: string) => name as Host;

test('a covered request is allowed, with every check named in order', () => {
  const decision = decideExchange(force(policyOf(agreement())), facts(), NOW);
  expect(decision).toMatchObject({
    kind: 'allow',
    mode: 'enforce',
    provider: 'Anthropic',
    product: 'Claude API',
    agreement: 'anthropic-api',
    allowMedia: false,
  });
  expect(decision.checks.map(({ name, ok }) => `${name} ${ok}`)).toEqual(
    [
      'provider',
      'agreement',
      'dates',
      'verified',
      'product',
      'protocol',
      'endpoint',
      'credential',
      'organization',
      'user',
      'model',
      'features',
      'media',
    ].map((name) => `${name} true`),
  );
});

test('the first stage stops before the body and says how to treat it', () => {
  const decision = decideHead(
    force(
      policyOf(
        agreement(),
        values({ policy: { media: 'allow', maxIdentifiers: 7, dates: 'whole', entities: { ssn: 'block' } } }),
      ),
    ),
    facts(),
    NOW,
  );
  expect(decision).toMatchObject({
    kind: 'proceed',
    allowMedia: true,
    redaction: { dates: 'whole', maxIdentifiers: 7, actions: { ssn: 'block', name: 'redact' } },
  });
  expect(decision.checks.at(-1)?.name).toBe('user');
});

test.each([
  ['missing', 'policy_missing'],
  ['stale', 'policy_stale'],
] as const)('a %s policy refuses both stages', (state, reason) => {
  expect(decideHead(force(state), facts(), NOW)).toMatchObject({ kind: 'refuse', refusal: { reason } });
  expect(decideExchange(force(state), facts(), NOW)).toMatchObject({ kind: 'refuse', refusal: { reason } });
});

test.each([
  ['api.groq.com', 'agreement_missing'],
  ['api.openai.com', 'agreement_missing'],
  ['api.mistral.ai', 'provider_not_approved'],
  ['generativelanguage.googleapis.com', 'provider_not_approved'],
  ['api.deepseek.com', 'provider_not_approved'],
  ['claude.ai', 'provider_not_approved'],
  ['us.i.posthog.com', 'provider_not_approved'],
  ['openrouter.ai', 'product_not_covered'],
  ['api.githubcopilot.com', 'product_not_covered'],
  ['vllm.models.svc.cluster.local', 'agreement_missing'],
])('%s without an agreement is refused as %s, with a sentence that fits its kind', (name, reason) => {
  const decision = decideExchange(force(policyOf(agreement())), facts({ host: host(name) }), NOW);
  expect(decision).toMatchObject({ kind: 'refuse', refusal: { reason }, agreement: null });
  expect(decision.kind === 'refuse' && decision.refusal.sentence).toMatch(/^\p{L}[^]{20,}/u);
});

test('an agreement that names a consumer host does not cover it', () => {
  const policy = policyOf(agreement());
  const forged = {
    ...policy,
    agreements: policy.agreements.map((known) => ({ ...known, hosts: ['*.ai', 'claude.ai'] })),
  };
  expect(decideExchange(force(forged), facts({ host: host('claude.ai') }), NOW)).toMatchObject({
    refusal: { reason: 'provider_not_approved' },
  });
});

test('a known provider declared as self-hosted is not covered', () => {
  const policy = policyOf(agreement());
  const forged = {
    ...policy,
    agreements: policy.agreements.map((known) => ({ ...known, kind: 'self-hosted' as const, contract: null })),
  };
  expect(decideExchange(force(forged), facts(), NOW)).toMatchObject({ refusal: { reason: 'agreement_missing' } });
});

const oauth = match({
  credential: { kinds: ['api-key', 'oauth'] },
  organization: { header: 'anthropic-organization-id', ids: ['org-a'] },
});

type Row = readonly [what: string, expected: string, document: Spec, over?: Partial<ExchangeFacts>];

const BY_AGREEMENT: readonly Row[] = [
  // Status: what could be signed covers nothing.
  ['a status of available', 'agreement_missing', contract({ status: 'available' })],
  ['a status of plan-gated', 'agreement_missing', contract({ status: 'plan-gated' })],
  ['a status of on-request', 'agreement_missing', contract({ status: 'on-request' })],
  ['a status of none', 'agreement_missing', contract({ status: 'none' })],
  ['no contract', 'agreement_missing', { contract: null }],
  ['no reference', 'agreement_missing', contract({ ref: null })],
  ['no day of signature', 'agreement_missing', contract({ signedOn: null })],
  // Dates.
  ['an end of yesterday', 'agreement_expired', contract({ expiresOn: '2026-11-21' })],
  ['an end of today', 'allow', contract({ expiresOn: '2026-11-22' })],
  ['a beginning of tomorrow', 'agreement_expired', contract({ effectiveOn: '2026-11-23' })],
  ['a beginning of today', 'allow', contract({ effectiveOn: '2026-11-22' })],
  ['a signature of tomorrow', 'agreement_expired', contract({ signedOn: '2026-11-23' })],
  ['no end', 'allow', contract({ expiresOn: null })],
  // Product.
  [
    'an early signature and an enterprise route',
    'product_not_covered',
    { ...contract({ signedOn: '2025-12-01', scope: ['api', 'enterprise'] }), kind: 'enterprise' },
  ],
  [
    'an early signature and a coding route',
    'product_not_covered',
    { ...contract({ signedOn: '2025-12-01', scope: ['api', 'coding'] }), kind: 'coding', confirmed: { zdr: true } },
  ],
  ['an early signature and the API', 'allow', contract({ signedOn: '2025-12-01', scope: ['api', 'enterprise'] })],
  [
    'a later signature and an enterprise route in its scope',
    'allow',
    { ...contract({ signedOn: '2025-12-02', scope: ['enterprise'] }), kind: 'enterprise' },
  ],
  [
    'a later signature and an enterprise route outside its scope',
    'product_not_covered',
    { ...contract({ signedOn: '2025-12-02', scope: ['api'] }), kind: 'enterprise' },
  ],
  [
    'a coding route without confirmed zero retention',
    'product_not_covered',
    { ...contract({ scope: ['coding'] }), kind: 'coding' },
  ],
  [
    'a coding route with confirmed zero retention',
    'allow',
    { ...contract({ scope: ['coding'] }), kind: 'coding', confirmed: { zdr: true } },
  ],
  ['a HIPAA organization required and not confirmed', 'product_not_covered', { requires: { hipaaOrg: true } }],
  [
    'a HIPAA organization required and confirmed',
    'allow',
    { requires: { hipaaOrg: true }, confirmed: { hipaaOrg: true } },
  ],
  ['zero retention required and not confirmed', 'product_not_covered', { requires: { zdr: true } }],
  ['a region that is listed', 'allow', match({ regions: ['eu-central-1'] }), { region: 'eu-central-1' }],
  ['a region that is not listed', 'product_not_covered', match({ regions: ['eu-central-1'] }), { region: 'us-east-1' }],
  ['an unknown region where regions are listed', 'product_not_covered', match({ regions: ['eu-central-1'] })],
  // Protocol.
  ['clear HTTP to a public provider', 'protocol_not_allowed', {}, { secure: false }],
  // Endpoint.
  ['another operation', 'endpoint_not_covered', {}, { path: '/v1/messages/batches', dialect: null }],
  ['files', 'endpoint_not_covered', {}, { path: '/v1/files', dialect: null }],
  ['an unknown operation', 'endpoint_not_covered', {}, { path: '/v1/future', dialect: null }],
  ['an operation that is understood but not listed', 'endpoint_not_covered', match({ paths: ['POST /v1/complete'] })],
  [
    'an operation that is listed but not understood',
    'endpoint_not_covered',
    match({ paths: ['POST /v1/files'] }),
    { path: '/v1/files', dialect: null },
  ],
  ['another method', 'endpoint_not_covered', {}, { method: 'GET', dialect: null }],
  // Credential (one host, several credentials).
  ['a key of the API', 'allow', {}, { credential: key('sk-ant-api03-x') }],
  ['a plan token', 'credential_not_covered', {}, { credential: key('sk-ant-oat01-x') }],
  ['a session', 'credential_not_covered', {}, { credential: key('sk-ant-sid01-x') }],
  ['an administrator’s key', 'credential_not_covered', {}, { credential: key('sk-ant-admin01-x') }],
  ['no credential', 'credential_not_covered', {}, { credential: classifyCredential([]) }],
  [
    'two credentials',
    'credential_not_covered',
    {},
    {
      credential: classifyCredential([
        ['x-api-key', 'sk-ant-api03-x'],
        ['authorization', 'Bearer sk-ant-oat01-x'],
      ]),
    },
  ],
  ['a plan token that the agreement takes', 'allow', oauth, { credential: key('sk-ant-oat01-x') }],
  [
    'a denied prefix of a kind that it takes',
    'credential_not_covered',
    match({ credential: { denyPrefixes: ['sk-ant-api03-old'] } }),
    { credential: key('sk-ant-api03-old-key') },
  ],
  [
    'a pinned key',
    'allow',
    match({ credential: { keyFingerprints: [fingerprintKey('sk-ant-api03-mine')] } }),
    { credential: key('sk-ant-api03-mine') },
  ],
  [
    'a key beside the pinned one',
    'credential_not_covered',
    match({ credential: { keyFingerprints: [fingerprintKey('sk-ant-api03-mine')] } }),
    { credential: key('sk-ant-api03-other') },
  ],
  // Organization.
  ['a claimed account that is pinned', 'allow', oauth, { organization: 'org-a' }],
  ['a claimed account that is not pinned', 'organization_not_covered', oauth, { organization: 'org-b' }],
  // Model.
  ['a model of the allowed ones', 'allow', match({ allowModels: ['claude-sonnet-*'] })],
  ['a model beside the allowed ones', 'model_not_covered', match({ allowModels: ['claude-haiku-*'] })],
  ['no model where some are allowed', 'model_not_covered', match({ allowModels: ['*'] }), { model: null }],
  ['a denied model', 'model_not_covered', match({ denyModels: ['claude-*'] })],
  [
    'an allowed model that is denied too',
    'allow',
    match({ allowModels: ['claude-sonnet-*'], denyModels: ['claude-*'] }),
  ],
  // Features.
  ['a tool that the provider’s list has', 'allow', {}, { features: ['tool:bash'] }],
  ['a tool that it has not', 'feature_not_covered', {}, { features: ['tool:web_fetch'] }],
  [
    'web search with dynamic filtering',
    'feature_not_covered',
    {},
    { features: ['tool:web_search', 'tool:web_search:dynamic_filtering'] },
  ],
  [
    'a tool that the contract adds',
    'allow',
    match({ allowFeatures: ['tool:web_fetch'] }),
    { features: ['tool:web_fetch'] },
  ],
  [
    'a tool that the contract takes away',
    'feature_not_covered',
    match({ denyFeatures: ['tool:bash'] }),
    { features: ['tool:bash'] },
  ],
  [
    'a feature both added and taken away',
    'feature_not_covered',
    match({ allowFeatures: ['tool:*'], denyFeatures: ['tool:bash'] }),
    { features: ['tool:bash'] },
  ],
  [
    'one unknown beta flag among five',
    'feature_not_covered',
    {},
    {
      features: [
        'beta:pdfs-2024-09-25',
        'beta:context-1m-2025-08-07',
        'beta:unknown',
        'beta:prompt-caching-2024-07-31',
        'beta:fast-mode-2026-02-01',
      ],
    },
  ],
  ['code execution', 'feature_not_covered', {}, { features: ['beta:code-execution-2025-05-22'] }],
  ['remote MCP servers', 'feature_not_covered', {}, { features: ['body:mcp_servers'] }],
  // Media.
  ['an image', 'media_not_allowed', {}, { features: ['media:image'] }],
];

for (const [what, expected, spec, over] of BY_AGREEMENT) {
  test(`${what}: ${expected}`, () => {
    expect(verdict([agreement(spec)], over)).toBe(expected);
  });
}

const BY_DOCUMENT: readonly Row[] = [
  ['a model that the cluster denies', 'model_not_covered', values({ policy: { denyModels: ['claude-*'] } })],
  ['a model beside those of the cluster', 'model_not_covered', values({ policy: { allowModels: ['gpt-*'] } })],
  [
    'a feature that the cluster denies',
    'feature_not_covered',
    values({ policy: { denyFeatures: ['tool:*'] } }),
    { features: ['tool:bash'] },
  ],
  ['media that the cluster allows', 'allow', values({ policy: { media: 'allow' } }), { features: ['media:image'] }],
  [
    'an agreement without accounts where they are required',
    'organization_not_covered',
    values({ policy: { organization: 'required' } }),
  ],
  ['no user where one is required', 'user_required', values({ policy: { requireUser: ['header'] } })],
  ['a user of the header', 'allow', values({ policy: { requireUser: ['header'] } }), { user: 'header' }],
  [
    'a user of the header where a JWT is required',
    'user_required',
    values({ policy: { requireUser: ['jwt'] } }),
    { user: 'header' },
  ],
  ['a user of the body', 'allow', values({ policy: { requireUser: ['body'] } }), { userInBody: true }],
  [
    'a user of the body where the header is required',
    'user_required',
    values({ policy: { requireUser: ['header'] } }),
    { userInBody: true },
  ],
  ['no user where the body may name one', 'user_required', values({ policy: { requireUser: ['header', 'body'] } })],
  ['an agreement that the namespace leaves out', 'agreement_missing', egressPolicy({ agreements: [] })],
  ['an operation that the namespace leaves out', 'endpoint_not_covered', egressPolicy({ paths: [] })],
  ['a model that the namespace leaves out', 'model_not_covered', egressPolicy({ allowModels: ['claude-haiku-*'] })],
  [
    'media that the namespace denies',
    'media_not_allowed',
    egressPolicy({ media: 'deny' }),
    { features: ['media:audio'] },
  ],
  ['a check that is too old', 'agreement_expired', values({ policy: { lastVerified: { denyDays: 20 } } })],
];

for (const [what, expected, document, over] of BY_DOCUMENT) {
  test(`${what}: ${expected}`, () => {
    expect(verdict([agreement(), document], over)).toBe(expected);
  });
}

test('a user that only the body can name passes the first stage and not the second without one', () => {
  const policy = force(policyOf(agreement(), values({ policy: { requireUser: ['body'] } })));
  expect(decideHead(policy, facts(), NOW).kind).toBe('proceed');
  expect(decideExchange(policy, facts(), NOW)).toMatchObject({ refusal: { reason: 'user_required' } });
});

test('an agreement ends with its last day in UTC, without a new policy', () => {
  const policy = force(policyOf(agreement(contract({ expiresOn: '2026-11-30' }))));
  const end = Date.parse('2026-12-01T00:00:00Z');
  expect(decideExchange(policy, facts(), end - 1).kind).toBe('allow');
  expect(decideExchange(policy, facts(), end)).toMatchObject({
    kind: 'refuse',
    refusal: { reason: 'agreement_expired', where: 'contract.expiresOn' },
  });
});

test('an agreement that ends while the body is read refuses the second stage', () => {
  const policy = force(policyOf(agreement(contract({ expiresOn: '2026-11-22T12:00:01Z' }))));
  expect(decideHead(policy, facts(), NOW).kind).toBe('proceed');
  expect(decideExchange(policy, facts(), NOW + 1_000)).toMatchObject({ refusal: { reason: 'agreement_expired' } });
});

test.each([
  ['never', null, 'warning: never verified'],
  ['long ago', { date: '2026-08-01', by: 'x' }, 'warning: last verified more than 90 days ago'],
  ['lately', { date: '2026-11-01', by: 'x' }, undefined],
])('an agreement that was verified %s is allowed with a remark: %s', (_, lastVerified, detail) => {
  const decision = decideExchange(force(policyOf(agreement({ lastVerified }))), facts(), NOW);
  expect(decision.kind).toBe('allow');
  expect(decision.checks.find(({ name }) => name === 'verified')?.detail).toBe(detail);
});

test('an agreement that nobody ever verified is refused where an age is demanded', () => {
  expect(verdict([agreement({ lastVerified: null }), values({ policy: { lastVerified: { denyDays: 365 } } })])).toBe(
    'agreement_expired',
  );
});

test('clear HTTP, no key and unlisted features are fine with a model of one’s own, an unlisted operation is not', () => {
  const own = agreement({
    kind: 'self-hosted',
    contract: null,
    ...match({ hosts: ['vllm.models.svc.cluster.local'], paths: ['POST /v1/chat/completions'] }),
  });
  const asked = {
    host: host('vllm.models.svc.cluster.local'),
    secure: false,
    path: '/v1/chat/completions',
    dialect: 'openai-chat',
    credential: classifyCredential([]),
    features: ['body:store'],
  };
  expect(verdict([own], asked)).toBe('allow');
  expect(verdict([own], { ...asked, path: '/v1/completions' })).toBe('endpoint_not_covered');
});

test('a router is covered only while every vendor behind it is', () => {
  const router = agreement({ ...match({ hosts: ['openrouter.ai'] }), routesTo: ['vendor'] }, 'router');
  const asked = { host: host('openrouter.ai') };
  expect(verdict([router, agreement({}, 'vendor')], asked)).toBe('allow');
  expect(verdict([router, agreement(contract({ expiresOn: '2026-11-21' }), 'vendor')], asked)).toBe(
    'product_not_covered',
  );
  expect(verdict([router, agreement(contract({ status: 'on-request' }), 'vendor')], asked)).toBe('product_not_covered');
  expect(verdict([router, agreement({}, 'vendor'), egressPolicy({ agreements: ['router'] })], asked)).toBe(
    'product_not_covered',
  );
});

test('a coding backend needs an agreement of its own kind', () => {
  const asked = { host: host('api.githubcopilot.com') };
  expect(verdict([agreement(match({ hosts: ['api.githubcopilot.com'] }))], asked)).toBe('product_not_covered');
  expect(
    verdict(
      [
        agreement({
          ...match({ hosts: ['api.githubcopilot.com'] }),
          ...contract({ scope: ['coding'] }),
          kind: 'coding',
        }),
      ],
      asked,
    ),
  ).toBe('allow');
});

test('the most specific agreement speaks alone: an exact host that denies outweighs a wildcard that allows', () => {
  const wide = agreement(match({ hosts: ['*.openai.azure.com'] }), 'wide');
  const exact = agreement({ ...match({ hosts: ['ward.openai.azure.com'] }), contract: { status: 'none' } }, 'exact');
  expect(verdict([wide, exact], { host: host('ward.openai.azure.com') })).toBe('agreement_missing');
  expect(verdict([wide, exact], { host: host('clinic.openai.azure.com') })).toBe('allow');
});

test('an agreement that lists the operation speaks before one that does not', () => {
  const other = agreement(match({ hosts: ['ward.openai.azure.com'], paths: ['POST /v1/files'] }), 'files');
  const wide = agreement(match({ hosts: ['*.openai.azure.com'] }), 'wide');
  expect(verdict([other, wide], { host: host('ward.openai.azure.com') })).toBe('allow');
});

test('agreements of one rank are alternatives: one for keys, one for a company’s plan', () => {
  const plan = agreement(
    {
      ...contract({ scope: ['coding'] }),
      kind: 'coding',
      confirmed: { zdr: true },
      ...match({
        credential: { kinds: ['oauth'] },
        organization: { header: 'anthropic-organization-id', ids: ['org-a'] },
      }),
    },
    'plan',
  );
  const both = [agreement(), plan];
  const which = (token: string) =>
    decideExchange(force(policyOf(...both)), facts({ credential: key(token) }), NOW).agreement;
  expect(which('sk-ant-api03-x')).toBe('anthropic-api');
  expect(which('sk-ant-oat01-x')).toBe('plan');
  expect(verdict(both, { credential: key('sk-ant-sid01-x') })).toBe('credential_not_covered');
});

test('Claude on its own platform at a cloud never counts as Bedrock', () => {
  const bedrock = agreement(
    match({ hosts: ['bedrock-runtime.us-east-1.amazonaws.com'], credential: { kinds: ['signature'] } }),
  );
  expect(verdict([bedrock], { host: host('aws-external-anthropic.us-east-1.api.aws') })).toBe('provider_not_approved');
});

test('a key whose account turned out not to be covered is refused in both stages', () => {
  const barred = { policy: policyOf(agreement()), barred: barKey(NO_BARRED_KEYS, facts().credential.fingerprint) };
  expect(decideHead(barred, facts(), NOW)).toMatchObject({
    kind: 'refuse',
    refusal: { reason: 'organization_not_covered' },
    agreement: 'anthropic-api',
  });
  expect(decideExchange(barred, facts(), NOW)).toMatchObject({
    kind: 'refuse',
    refusal: { reason: 'organization_not_covered' },
  });
  expect(decideHead(barred, facts({ credential: key('sk-ant-api03-other') }), NOW).kind).toBe('proceed');
});

test('a plan token is not covered without a pinned account, whatever the source was', () => {
  const policy = policyOf(agreement());
  const forged = {
    ...policy,
    agreements: policy.agreements.map((known) => ({
      ...known,
      credential: { ...known.credential, kinds: ['oauth' as const] },
    })),
  };
  expect(decideExchange(force(forged), facts({ credential: key('sk-ant-oat01-x') }), NOW)).toMatchObject({
    refusal: { reason: 'credential_not_covered' },
  });
});

test('monitor lets a refusal through and says what enforcing would have done, until the grant ends', () => {
  const policy = force(policyOf(agreement(), exemption({ monitor: true })));
  const asked = facts({ host: host('api.mistral.ai') });
  const end = Date.parse('2026-12-01T00:00:00Z');
  expect(decideHead(policy, asked, end - 1)).toMatchObject({
    kind: 'proceed',
    mode: 'monitor',
    would: 'provider_not_approved',
    agreement: null,
  });
  expect(decideExchange(policy, asked, end - 1)).toMatchObject({
    kind: 'allow',
    mode: 'monitor',
    would: 'provider_not_approved',
  });
  expect(decideHead(policy, asked, end)).toMatchObject({
    kind: 'refuse',
    refusal: { reason: 'provider_not_approved' },
  });
});

test('monitor says nothing of a refusal where there would be none', () => {
  const decision = decideExchange(force(policyOf(agreement(), exemption({ monitor: true }))), facts(), NOW);
  expect(decision).toMatchObject({ kind: 'allow', mode: 'monitor', agreement: 'anthropic-api' });
  expect(decision).not.toHaveProperty('would');
});

test('monitor of a barred key lets it through and says so', () => {
  const barred = {
    policy: policyOf(agreement(), exemption({ monitor: true })),
    barred: barKey(NO_BARRED_KEYS, facts().credential.fingerprint),
  };
  expect(decideExchange(barred, facts(), NOW)).toMatchObject({
    kind: 'allow',
    mode: 'monitor',
    would: 'organization_not_covered',
  });
});

test('what the caller wrote never stands in a refusal or a check', () => {
  const canary = 'maria-gonzalez';
  const asked = {
    model: canary,
    path: `/v1/${canary}`,
    organization: canary,
    features: [`beta:${canary}`, `${canary}:x`],
  };
  const documents = [
    agreement(match({ allowModels: ['gpt-*'], organization: { header: 'anthropic-organization-id', ids: ['org-a'] } })),
  ];
  for (const name of ['model', 'path', 'organization', 'features'] as const) {
    const decision = decideExchange(
      force(policyOf(...(name === 'features' ? [agreement()] : documents))),
      facts({ [name]: asked[name] }),
      NOW,
    );
    expect(decision.kind).toBe('refuse');
    expect(JSON.stringify(decision)).not.toContain(canary);
  }
});
