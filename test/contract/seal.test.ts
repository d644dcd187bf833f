import { randomBytes } from 'node:crypto';
import { compactDecrypt, exportJWK, generalDecrypt, generateKeyPair, importJWK } from 'jose';
import { expect, test } from 'vitest';
import { openContentKey, openPart, parsePartName, type PartName } from '#contract/seal.ts';
import { ContentKey } from '#sidecar/audit/content-key.ts';
import { parseRecipients } from '#sidecar/audit/recipients.ts';

const NAME: PartName = { record: 'exchange-1', kind: 'sent', part: 0 };

async function pair(kid: string) {
  const keys = await generateKeyPair('ECDH-ES+A256KW', { crv: 'P-256', extractable: true });
  return { private: await exportJWK(keys.privateKey), public: { ...(await exportJWK(keys.publicKey)), kid } };
}

test('any JOSE library opens a part with either private key: the key by general JWE, the part by compact JWE', async () => {
  const auditor = await pair('auditor-1');
  const escrow = await pair('escrow-1');
  const key = await ContentKey.create(parseRecipients(JSON.stringify({ keys: [auditor.public, escrow.public] })));
  const jwe = key.seal(NAME, [Buffer.from('Patient '), Buffer.from('Maria')]);
  for (const owner of [auditor, escrow]) {
    const wrapped = JSON.parse(key.wrapped.toString()) as Parameters<typeof generalDecrypt>[0];
    const { plaintext } = await generalDecrypt(wrapped, await importJWK(owner.private, 'ECDH-ES+A256KW'));
    const part = await compactDecrypt(jwe.toString(), plaintext);
    expect(Buffer.from(part.plaintext).toString()).toBe('Patient Maria');
    expect(part.protectedHeader).toEqual({
      alg: 'dir',
      enc: 'A256GCM',
      kid: key.kid,
      rec: 'exchange-1',
      kind: 'sent',
      part: 0,
    });
  }
});

test('a part whose header, text or tag was changed does not open', async () => {
  const auditor = await pair('auditor-1');
  const key = await ContentKey.create(
    parseRecipients(JSON.stringify({ keys: [auditor.public, (await pair('escrow-1')).public] })),
  );
  const { secret } = await openContentKey(key.wrapped, auditor.private);
  const jwe = key.seal(NAME, [randomBytes(100)]);
  await expect(openPart(jwe, secret)).resolves.toHaveLength(100);
  const [head = '', , iv = '', text = '', tag = ''] = jwe.toString().split('.');
  const other = Buffer.from(
    JSON.stringify({ ...(JSON.parse(Buffer.from(head, 'base64url').toString()) as object), part: 1 }),
  ).toString('base64url');
  const changed = (value: string): string => (value.startsWith('A') ? 'B' : 'A') + value.slice(1);
  for (const broken of [
    `${other}..${iv}.${text}.${tag}`,
    `${head}..${changed(iv)}.${text}.${tag}`,
    `${head}..${iv}.${changed(text)}.${tag}`,
    `${head}..${iv}.${text}.${changed(tag)}`,
  ]) {
    await expect(openPart(Buffer.from(broken), secret)).rejects.toThrow();
  }
});

test('a private key that is no recipient does not open the content key', async () => {
  const key = await ContentKey.create(
    parseRecipients(JSON.stringify({ keys: [(await pair('auditor-1')).public, (await pair('escrow-1')).public] })),
  );
  await expect(openContentKey(key.wrapped, (await pair('stranger')).private)).rejects.toThrow();
});

test('a nonce never comes twice under one key', async () => {
  const key = await ContentKey.create(
    parseRecipients(JSON.stringify({ keys: [(await pair('auditor-1')).public, (await pair('escrow-1')).public] })),
  );
  const nonces = Array.from(
    { length: 1_000 },
    () =>
      key
        .seal(NAME, [Buffer.from('same')])
        .toString()
        .split('.')[2],
  );
  expect(new Set(nonces).size).toBe(1_000);
});

test('a part name is read without a key, and nothing else passes for one', async () => {
  const key = await ContentKey.create(
    parseRecipients(JSON.stringify({ keys: [(await pair('auditor-1')).public, (await pair('escrow-1')).public] })),
  );
  expect(parsePartName(key.seal(NAME, [Buffer.from('x')]))).toEqual({ ...NAME, kid: key.kid });
  for (const text of ['', '.', 'x.y', `${Buffer.from('{"alg":"none"}').toString('base64url')}..a.b.c`])
    expect(parsePartName(Buffer.from(text))).toBeNull();
});

test.each([
  ['a private key among the recipients', [{ d: 'x' }, {}], 'is a private key'],
  ['one recipient alone', [{}], 'an auditor and an escrow key'],
  ['two recipients of one id', [{ kid: 'same' }, { kid: 'same' }], 'same kid'],
  ['another curve', [{ crv: 'P-384' }, {}], 'must be on curve P-256'],
  ['RSA', [{ kty: 'RSA' }, {}], 'must be an EC key'],
])('%s is refused and said', async (_name, changes, fault) => {
  const keys = await Promise.all(
    changes.map(async (change, at) => ({ ...(await pair(`key-${at}`)).public, ...change })),
  );
  expect(() => parseRecipients(JSON.stringify({ keys }))).toThrow(fault);
  expect(() => parseRecipients('not json')).toThrow('not usable');
});
