import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import type { BundleKey, BundlePayload } from '#contract/bundle.ts';
import { BUNDLE_TYPE } from '#contract/bundle.ts';
import { agreement, NOW, policyOf } from '../../contract/policy-fixture.ts';

export interface Signer {
  readonly key: CryptoKey;
  readonly jwk: BundleKey;
}

export async function makeSigner(): Promise<Signer> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const { x = '', y = '' } = await exportJWK(pair.publicKey);
  return { key: pair.privateKey, jwk: { kty: 'EC', crv: 'P-256', x, y } };
}

/** A bundle of serial 1.1 that was signed at `NOW`; `over` is laid over its payload, `header` over its protected header. */
export async function signBundle(
  by: Signer,
  over: Partial<BundlePayload> & Record<string, unknown> = {},
  header: Readonly<Record<string, string>> = {},
): Promise<string> {
  const payload = {
    version: 1,
    serial: { epoch: 1, revision: 1 },
    issuedAt: NOW,
    policy: policyOf(agreement()),
    ...over,
  };
  return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'ES256', typ: BUNDLE_TYPE, ...header })
    .sign(by.key);
}
