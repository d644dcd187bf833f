import { exportJWK, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '#contract/brand.ts';
import type { Policy } from '#contract/policy.ts';
import { identifyUser } from '#sidecar/exchange/identify-user.ts';
import type { Fields, InboundRequest } from '#sidecar/exchange/ports.ts';
import { demoPolicy } from './guarded.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECONDS = NOW / 1_000;
const USER = 'dr.pierce@example.org';
let policy: Policy;
let keys: CryptoKeyPair;
let jwk: JWK;

beforeAll(async () => {
  keys = await generateKeyPair('ES256', { extractable: true });
  jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256' };
  policy = {
    ...demoPolicy(),
    userJwt: { header: 'x-lazaret-jwt', issuer: 'https://idp.example', audience: 'lazaret', claim: 'sub', keys: [jwk] },
  } as Policy;
});

/** The user behind a request with these fields. */
async function userOf(headers: Fields, by: Policy | null = policy) {
  const request: InboundRequest = {
    connection: { id: 1, host: 'api.anthropic.com' as Host, port: 443, protocol: 'h1', secure: true },
    method: 'POST',
    target: '/v1/messages',
    headers,
    readBody: () => Promise.resolve('aborted'),
    signal: new AbortController().signal,
  };
  return await identifyUser(request, by, NOW);
}

interface Claims {
  readonly iss?: string;
  readonly aud?: string | string[];
  readonly exp?: number;
  readonly nbf?: number;
  readonly sub?: unknown;
}

async function token(claims: Claims = {}, header: object = {}, key: CryptoKey | Uint8Array = keys.privateKey) {
  const payload = { iss: 'https://idp.example', aud: 'lazaret', exp: SECONDS + 60, sub: USER, ...claims };
  return await new SignJWT(JSON.parse(JSON.stringify(payload)) as Record<string, unknown>)
    .setProtectedHeader({ alg: 'ES256', kid: 'one', ...header })
    .sign(key);
}

describe('a user', () => {
  it('is named by a token that verifies, with or without the word Bearer, before any header', async () => {
    const jwt = await token();
    for (const value of [jwt, `Bearer ${jwt}`])
      expect(
        await userOf([
          ['X-Lazaret-Jwt', value],
          ['x-lazaret-user', 'somebody else'],
        ]),
      ).toEqual({ attribution: 'jwt', id: USER });
  });

  it('is named by the header where there is no token, and is the workload where there is neither', async () => {
    expect(await userOf([['x-lazaret-user', ` ${USER} `]])).toEqual({ attribution: 'header', id: USER });
    expect(await userOf([])).toEqual({ attribution: 'workload', id: null });
    expect(await userOf([['x-lazaret-jwt', await token()]], null)).toEqual({ attribution: 'workload', id: null });
  });

  it.each([
    ['empty', [['x-lazaret-user', ' ']]],
    ['too long', [['x-lazaret-user', 'x'.repeat(257)]]],
    [
      'two',
      [
        ['x-lazaret-user', 'a'],
        ['X-Lazaret-User', 'b'],
      ],
    ],
  ] as readonly (readonly [string, Fields])[])('is nobody where the header is %s', async (_how, fields) => {
    expect(await userOf(fields)).toEqual({ attribution: 'workload', id: null });
  });

  it.each([
    ['expired', async () => await token({ exp: SECONDS - 31 }), 'the token has expired'],
    ['without an end', async () => await token({ exp: undefined as never }), 'the token does not verify'],
    ['not valid yet', async () => await token({ nbf: SECONDS + 31 }), 'the token does not verify'],
    ['of another issuer', async () => await token({ iss: 'https://evil.example' }), 'the token does not verify'],
    ['for another audience', async () => await token({ aud: 'billing' }), 'the token does not verify'],
    ['that names nobody', async () => await token({ sub: '' }), 'the token names no user'],
    ['that names no text', async () => await token({ sub: 7 }), 'the token'],
    ['that names too long a user', async () => await token({ sub: 'x'.repeat(257) }), 'the token names no user'],
    [
      'without a signature',
      () => Promise.resolve(new UnsecuredJWT({ sub: USER }).encode()),
      'the token does not verify',
    ],
    [
      'with an HMAC under the public key',
      async () => await token({}, { alg: 'HS256' }, Buffer.from(JSON.stringify(jwk))),
      'the token does not verify',
    ],
    [
      'under a key that policy does not know',
      async () => await token({}, {}, (await generateKeyPair('ES256')).privateKey),
      'the token does not verify',
    ],
    [
      'under a key id that policy does not know',
      async () => await token({}, { kid: 'two' }),
      'the token does not verify',
    ],
    ['that brings its own key', async () => await token({}, { kid: 'two', jwk }), 'the token does not verify'],
    ['cut off', async () => (await token()).slice(0, -2), 'the token does not verify'],
    ['empty', () => Promise.resolve(''), 'the token does not verify'],
  ])('by a token %s is refused, whatever the header says', async (_how, make, where) => {
    const user = await userOf([
      ['x-lazaret-jwt', await make()],
      ['x-lazaret-user', USER],
    ]);
    expect(user).toEqual({ reason: 'user_required', where: expect.stringContaining(where) as string });
    expect(JSON.stringify(user)).not.toContain(USER);
  });

  it('by two tokens is refused: two readers could take different ones', async () => {
    const jwt = await token();
    expect(
      await userOf([
        ['x-lazaret-jwt', jwt],
        ['x-lazaret-jwt', jwt],
      ]),
    ).toMatchObject({ reason: 'user_required' });
  });
});
