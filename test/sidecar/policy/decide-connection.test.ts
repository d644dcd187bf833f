import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Host } from '#contract/brand.ts';
import type { ConnectionPolicy } from '#contract/connection-policy.ts';
import { REASONS } from '#contract/reason.ts';
import { LLM_HOSTS } from '#contract/llm-hosts.data.ts';
import { classifyAddress, isSameAddress, parseAddressLiteral } from '#sidecar/policy/address.ts';
import type { ConnectionSighting, Destination, Sight } from '#sidecar/policy/connection-decision.ts';
import { approachConnection, decideConnection } from '#sidecar/policy/decide-connection.ts';
import { isLlmOperation } from '#sidecar/policy/llm-operation.ts';

const POLICY: ConnectionPolicy = {
  destinations: ['example.org', '*.listed.example', 'api.openai.com', '*.snowflakecomputing.com'],
  agreementHosts: ['api.openai.com', 'models.internal.example'],
  clusterCidrs: ['192.0.2.0/24', '2001:db8:1::/48'],
  resolvers: ['10.96.0.10', 'fd00::53'],
  monitor: false,
};
const PUBLIC: Destination = { address: '203.0.113.7', port: 443 };
const PRIVATE: Destination = { address: '10.1.2.3', port: 8000 };

const tls = (host: string | null): Sight => ({ kind: 'tls', host: host as Host | null });
const http = (host: string | null, path = '/', method = 'POST', absolute: Destination | null = null): Sight => ({
  kind: 'http',
  method,
  path,
  host: host as Host | null,
  absolute,
});
const connect = (target: Destination | null): Sight => ({ kind: 'connect', target });
const named = (host: string, port = 443): Destination => ({ host: host as Host, port });

function decide(
  destination: Destination | null,
  sight: Sight,
  policy: ConnectionPolicy | null = POLICY,
  canIssue = true,
) {
  return decideConnection(policy, { destination, sight, canIssue: () => canIssue });
}

describe('public destinations', () => {
  test.each<[string, Sight, object]>([
    [
      'a listed name is spliced by name',
      tls('example.org'),
      { action: 'splice', host: 'example.org', port: 443, follow: false },
    ],
    ['a name below a listed suffix too', tls('a.listed.example'), { action: 'splice', host: 'a.listed.example' }],
    [
      'the suffix itself is not',
      tls('listed.example'),
      { action: 'refuse', reason: 'destination_not_allowed', form: 'alert' },
    ],
    [
      'an agreement host is terminated even when it is listed',
      tls('api.openai.com'),
      { action: 'terminate', host: 'api.openai.com', secure: true },
    ],
    ['a known LLM host without agreement is terminated', tls('api.mistral.ai'), { action: 'terminate' }],
    ['consumer chat is terminated', tls('chatgpt.com'), { action: 'terminate' }],
    ['observability is terminated', tls('api.smith.langchain.com'), { action: 'terminate' }],
    [
      'a region that is not known yet is terminated',
      tls('bedrock-runtime.zz-new-1.amazonaws.com'),
      { action: 'terminate' },
    ],
    ['a listed mixed-use host is terminated under TLS', tls('acme.snowflakecomputing.com'), { action: 'terminate' }],
    [
      'shared infrastructure is like any other name',
      tls('js.stripe.com'),
      { action: 'refuse', reason: 'destination_not_allowed' },
    ],
    [
      'an unlisted name is refused',
      tls('elsewhere.example'),
      { action: 'refuse', reason: 'destination_not_allowed', form: 'alert' },
    ],
    ['no name is refused', tls(null), { action: 'refuse', form: 'alert' }],
    ['clear HTTP to a listed name is followed', http('example.org'), { action: 'splice', follow: true }],
    ['clear HTTP to an LLM host is examined', http('api.openai.com'), { action: 'terminate', secure: false }],
    [
      'clear HTTP to an unlisted name is refused in HTTP',
      http('elsewhere.example'),
      { action: 'refuse', form: 'http' },
    ],
    [
      'an LLM operation to an unlisted name is examined',
      http('elsewhere.example', '/v1/messages'),
      { action: 'terminate', secure: false },
    ],
    ['a listed name may use any path', http('example.org', '/v1/messages'), { action: 'splice' }],
    [
      'a listed mixed-use host may use its other paths',
      http('acme.snowflakecomputing.com', '/queries'),
      { action: 'splice', follow: true },
    ],
    [
      'but not its LLM paths',
      http('acme.snowflakecomputing.com', '/api/v2/cortex/inference:complete'),
      { action: 'terminate' },
    ],
    [
      'clear HTTP without a name is refused',
      http(null),
      { action: 'refuse', reason: 'destination_not_allowed', form: 'http' },
    ],
    [
      'other protocols are refused',
      { kind: 'other' },
      { action: 'refuse', reason: 'destination_not_allowed', form: 'reset' },
    ],
    ['silence is refused', { kind: 'silent' }, { action: 'refuse', reason: 'destination_not_allowed', form: 'reset' }],
    ['a line is refused', { kind: 'line' }, { action: 'refuse', reason: 'destination_not_allowed', form: 'reset' }],
    [
      'ambiguous HTTP is refused',
      { kind: 'ambiguous', of: 'http' },
      { action: 'refuse', reason: 'protocol_not_allowed', form: 'http' },
    ],
    [
      'ambiguous TLS is refused',
      { kind: 'ambiguous', of: 'tls' },
      { action: 'refuse', reason: 'protocol_not_allowed', form: 'alert' },
    ],
  ])('%s', (_name, sight, expected) => {
    expect(decide(PUBLIC, sight)).toMatchObject(expected);
  });

  test('an LLM host for which no certificate can be issued is refused by alert', () => {
    expect(decide(PUBLIC, tls('api.openai.com'), POLICY, false)).toMatchObject({
      action: 'refuse',
      reason: 'provider_not_approved',
      form: 'alert',
    });
  });
});

describe('private destinations', () => {
  test.each<[string, Sight, object]>([
    ['TLS to any other name passes', tls('db.svc.cluster.local'), { action: 'opaque', follow: false }],
    ['TLS without a name passes', tls(null), { action: 'opaque' }],
    ['TLS to an LLM host is terminated', tls('api.openai.com'), { action: 'terminate', secure: true, port: 8000 }],
    [
      'TLS to a self-hosted model of an agreement is terminated',
      tls('models.internal.example'),
      { action: 'terminate' },
    ],
    ['a database passes', { kind: 'other' }, { action: 'opaque', follow: false }],
    ['a line without an end passes and is watched', { kind: 'line' }, { action: 'opaque', follow: true }],
    ['a SOCKS proxy does not', { kind: 'socks' }, { action: 'refuse', reason: 'destination_not_allowed' }],
    ['bytes that only resemble TLS pass', { kind: 'ambiguous', of: 'tls' }, { action: 'opaque' }],
    ['clear HTTP passes and is followed', http('fhir', '/Patient'), { action: 'opaque', follow: true }],
    [
      'clear HTTP to an address passes and is followed',
      http(null, '/healthz', 'GET'),
      { action: 'opaque', follow: true },
    ],
    [
      'an LLM operation is examined',
      http('vllm', '/v1/chat/completions'),
      { action: 'terminate', host: 'vllm', port: 8000, secure: false },
    ],
    [
      'an LLM operation to an address is refused',
      http(null, '/v1/chat/completions'),
      { action: 'refuse', reason: 'agreement_missing', form: 'http' },
    ],
    [
      'any path of an agreement host is examined',
      http('models.internal.example', '/x', 'GET'),
      { action: 'terminate' },
    ],
    [
      'a beginning that stalled is refused',
      { kind: 'silent' },
      { action: 'refuse', reason: 'protocol_not_allowed', form: 'reset' },
    ],
    ['ambiguous HTTP is refused', { kind: 'ambiguous', of: 'http' }, { action: 'refuse', form: 'http' }],
    [
      'absolute form to an unlisted target is refused',
      http('a.example', '/', 'GET', named('a.example', 80)),
      { action: 'refuse' },
    ],
    [
      'absolute form to a listed target is spliced to that name',
      http('example.org', '/', 'GET', named('example.org', 80)),
      { action: 'splice', host: 'example.org', port: 80 },
    ],
    [
      'absolute form to an LLM host is examined',
      http('api.openai.com', '/', 'GET', named('api.openai.com', 80)),
      { action: 'terminate', port: 80, secure: false },
    ],
  ])('%s', (_name, sight, expected) => {
    expect(decide(PRIVATE, sight)).toMatchObject(expected);
  });

  test('chart-listed cluster ranges count as private', () => {
    expect(decide({ address: '192.0.2.9', port: 5432 }, { kind: 'other' })).toMatchObject({ action: 'opaque' });
    expect(decide({ address: '192.0.3.9', port: 5432 }, { kind: 'other' })).toMatchObject({ action: 'refuse' });
  });
});

describe('CONNECT', () => {
  test.each<[Destination | null, object]>([
    [named('example.org'), { action: 'tunnel' }],
    [named('api.openai.com'), { action: 'tunnel' }],
    [named('api.mistral.ai'), { action: 'tunnel' }],
    [{ address: '10.0.0.1', port: 5432 }, { action: 'tunnel' }],
    [named('elsewhere.example'), { action: 'refuse', reason: 'destination_not_allowed', form: 'http' }],
    [{ address: '203.0.113.1', port: 443 }, { action: 'refuse' }],
    [{ address: '127.0.0.1', port: 15020 }, { action: 'refuse' }],
    [{ address: '::ffff:127.0.0.1', port: 15020 }, { action: 'refuse' }],
    [null, { action: 'refuse' }],
  ])('to %j', (target, expected) => {
    for (const destination of [PUBLIC, PRIVATE, null])
      expect(decide(destination, connect(target))).toMatchObject(expected);
  });
});

describe('what is decided before a byte', () => {
  const look = (address: string, port: number, policy: ConnectionPolicy | null = POLICY) =>
    approachConnection(policy, { address, port });
  test.each([
    ['10.96.0.10', 53, 'opaque'],
    ['::ffff:10.96.0.10', 53, 'opaque'],
    ['fd00:0:0::53', 53, 'opaque'],
    ['10.96.0.11', 53, 'refuse'],
    ['8.8.8.8', 53, 'refuse'],
    ['10.96.0.10', 853, 'refuse'],
    ['1.1.1.1', 853, 'refuse'],
  ])('DNS to %s port %i: %s', (address, port, action) => {
    expect(look(address, port)).toMatchObject({ look: 'no', decision: { action } });
  });
  test('a private server may speak first, a public one may not', () => {
    expect(look('10.1.2.3', 3306)).toEqual({ look: 'dial-first' });
    expect(look('203.0.113.7', 25)).toEqual({ look: 'look-first' });
    expect(look('203.0.113.7', 25, { ...POLICY, monitor: true })).toEqual({ look: 'dial-first' });
    expect(look('10.1.2.3', 3306, null)).toEqual({ look: 'look-first' });
    expect(approachConnection(POLICY, null)).toEqual({ look: 'look-first' });
  });
});

test('without a policy nothing passes, and LLM hosts are terminated so that the refusal can be read', () => {
  expect(decide(PUBLIC, tls('api.openai.com'), null)).toMatchObject({ action: 'terminate' });
  expect(decide(PUBLIC, tls('example.org'), null)).toMatchObject({
    action: 'refuse',
    reason: 'policy_missing',
    form: 'alert',
  });
  expect(decide(PRIVATE, { kind: 'other' }, null)).toMatchObject({
    action: 'refuse',
    reason: 'policy_missing',
    form: 'reset',
  });
  expect(decide(PRIVATE, http('fhir'), null)).toMatchObject({
    action: 'refuse',
    reason: 'policy_missing',
    form: 'http',
  });
});

const sights: fc.Arbitrary<Sight> = fc.oneof(
  fc.constantFrom('example.org', 'api.openai.com', 'elsewhere.example', 'chatgpt.com', 'js.stripe.com', null).map(tls),
  fc
    .tuple(
      fc.constantFrom('example.org', 'api.openai.com', 'elsewhere.example', 'vllm', null),
      fc.constantFrom('/', '/v1/messages', '/api/chat'),
    )
    .map(([host, path]) => http(host, path)),
  fc.constantFrom(connect(named('example.org')), connect(named('elsewhere.example')), connect(null)),
  fc.constantFrom<Sight>(
    { kind: 'other' },
    { kind: 'line' },
    { kind: 'silent' },
    { kind: 'ambiguous', of: 'tls' },
    { kind: 'ambiguous', of: 'http' },
  ),
);
const destinations = fc.constantFrom<Destination | null>(
  PUBLIC,
  PRIVATE,
  { address: '127.0.0.1', port: 1 },
  named('example.org'),
  null,
);

test('a known LLM host is never spliced and never opaque under TLS, whatever policy lists', () => {
  const llm = LLM_HOSTS.filter(([, , kind]) => kind !== 'shared-infrastructure').map(([pattern]) =>
    pattern.replaceAll('*', 'any-1'),
  );
  for (const host of llm) {
    for (const destination of [PUBLIC, PRIVATE, named(host)]) {
      const policy = { ...POLICY, destinations: [host, '*.com', '*.ai'] };
      for (const canIssue of [true, false]) {
        expect(['terminate', 'refuse']).toContain(decide(destination, tls(host), policy, canIssue).action);
      }
    }
  }
});

test('monitor stops nothing that has somewhere to go, and says what enforce would have done', () => {
  fc.assert(
    fc.property(sights, fc.constantFrom(PUBLIC, PRIVATE), fc.boolean(), (sight, destination, canIssue) => {
      const sighting: ConnectionSighting = { destination, sight, canIssue: () => canIssue };
      const enforced = decideConnection(POLICY, sighting);
      const watched = decideConnection({ ...POLICY, monitor: true }, sighting);
      expect(watched.action).not.toBe('refuse');
      if (enforced.action === 'refuse') expect(watched.would).toBe(enforced.reason);
      else expect(watched).toEqual(enforced);
    }),
  );
});

test('every refusal has a reason of the catalogue and every decision names its check', () => {
  fc.assert(
    fc.property(sights, destinations, fc.boolean(), (sight, destination, canIssue) => {
      const decision = decide(destination, sight, POLICY, canIssue);
      if (decision.action === 'refuse') expect(Object.keys(REASONS)).toContain(decision.reason);
      expect(decision.check).not.toBe('');
    }),
  );
});

describe('addresses', () => {
  test.each([
    ['10.0.0.1', 'private'],
    ['172.15.255.255', 'public'],
    ['172.16.0.1', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.255.1', 'private'],
    ['100.64.0.1', 'private'],
    ['100.128.0.1', 'public'],
    ['169.254.169.254', 'private'],
    ['198.18.0.1', 'public'],
    ['8.8.8.8', 'public'],
    ['127.0.0.53', 'local'],
    ['0.0.0.0', 'local'],
    ['::1', 'local'],
    ['::', 'local'],
    ['fe80::1%eth0', 'private'],
    ['fd12::1', 'private'],
    ['2001:db8:1::5', 'private'],
    ['2001:db8:2::5', 'public'],
    ['::ffff:10.0.0.1', 'private'],
    ['::ffff:8.8.8.8', 'public'],
    ['::ffff:127.0.0.1', 'local'],
    ['64:ff9b::a00:1', 'private'],
    ['64:ff9b::808:808', 'public'],
    ['64:ff9b::7f00:1', 'local'],
    ['no address', 'public'],
  ])('%s is %s', (address, expected) => {
    expect(classifyAddress(address, POLICY.clusterCidrs)).toBe(expected);
  });
  test('spellings of one address are the same', () => {
    expect(isSameAddress('::ffff:10.0.0.1', '10.0.0.1')).toBe(true);
    expect(isSameAddress('fd00:0::1', 'FD00::1')).toBe(true);
    expect(isSameAddress('10.0.0.1', '10.0.0.2')).toBe(false);
    expect(isSameAddress('x', 'x')).toBe(false);
  });
  test('literals of a URL are read, names and odd spellings of numbers are not', () => {
    expect(parseAddressLiteral('[fd00::1]')).toBe('fd00::1');
    expect(parseAddressLiteral('10.1.2.3')).toBe('10.1.2.3');
    for (const text of ['example.org', '0x0a.1', '167772161', '10.1', '']) expect(parseAddressLiteral(text)).toBeNull();
  });
});

describe('LLM operations', () => {
  test.each([
    ['POST', '/v1/chat/completions'],
    ['POST', '/openai/v1/chat/completions?x=1'],
    ['POST', '//v1//chat/completions'],
    ['POST', '/v1/./chat/completions/'],
    ['POST', '/v1/%63hat/completions'],
    ['POST', '/V1/Messages'],
    ['POST', '/v1/messages;a=b'],
    ['POST', '/v1/x/../messages'],
    ['POST', '/..//v1/y/z/%2e%2e/../chat/./completions'],
    ['POST', '/v1/%256dessages'],
    ['PUT', '/v1/responses'],
    ['POST', '/v1beta/models/gemini:streamGenerateContent?alt=sse'],
    ['POST', '/model/anthropic.claude/converse-stream'],
    ['POST', '/api/generate'],
    ['POST', '/generate_stream'],
    ['GET', '/v1/realtime?model=x'],
  ])('%s %s is one', (method, path) => {
    expect(isLlmOperation(method, path)).toBe(true);
  });
  test.each([
    ['GET', '/v1/chat/completions'],
    ['GET', '/v1/models'],
    ['POST', '/fhir/Patient'],
    ['POST', '/v1/messagesx'],
    ['POST', '/reports/generated'],
  ])('%s %s is none', (method, path) => {
    expect(isLlmOperation(method, path)).toBe(false);
  });
});
