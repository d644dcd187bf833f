import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  type PublicKey,
  publicKeySchema,
  type SignedType,
  signCompact,
  thumbprint,
} from '#contract/chain-signature.ts';

/** This process's ES256 key. It is never written anywhere and dies with the process. */
export class SigningKey {
  readonly kid: string;
  readonly public: PublicKey;
  readonly #private: KeyObject;

  private constructor(kid: string, publicKey: PublicKey, privateKey: KeyObject) {
    this.kid = kid;
    this.public = publicKey;
    this.#private = privateKey;
  }

  /** Makes a fresh key. Its id is its RFC 7638 thumbprint. */
  static create(): SigningKey {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = publicKeySchema.parse(pair.publicKey.export({ format: 'jwk' }));
    return new SigningKey(thumbprint(jwk), jwk, pair.privateKey);
  }

  /** Signs JSON text as a compact JWS. */
  sign(type: SignedType, payload: string): string {
    return signCompact(type, payload, { key: this.#private, kid: this.kid });
  }
}
