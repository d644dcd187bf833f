import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import {
  parseJson,
  type PublicKey,
  publicKeySchema,
  type SignedType,
  signCompact,
  thumbprint,
} from '#contract/chain-signature.ts';
import { orMissing, syncFolder, withFile } from './durable-file.ts';

const privateKeySchema = publicKeySchema.extend({ d: z.string().length(43) });

/** The collector's ES256 key: signs receipts, attestations and the manifest. It opens nothing. */
export class CollectorKey {
  readonly kid: string;
  readonly public: PublicKey;
  readonly #private: KeyObject;

  private constructor(kid: string, publicKey: PublicKey, privateKey: KeyObject) {
    this.kid = kid;
    this.public = publicKey;
    this.#private = privateKey;
  }

  /**
   * Reads the key, or makes one when the file does not exist (mode 0600).
   * @throws TypeError when the file holds something else
   */
  static async load(path: string): Promise<CollectorKey> {
    const stored = await orMissing(readFile(path, 'utf8'));
    const parsed = privateKeySchema.safeParse(parseJson(stored ?? (await create(path))));
    if (!parsed.success)
      throw new TypeError(
        'the collector signing key is not an ES256 private JWK: restore it, or remove the file to begin a new one',
      );
    const { d, ...publicKey } = parsed.data;
    const privateKey = createPrivateKey({ key: { ...publicKey, d }, format: 'jwk' });
    return new CollectorKey(thumbprint(publicKey), publicKey, privateKey);
  }

  /** Signs JSON text as a compact JWS. */
  sign(type: SignedType, payload: object): string {
    return signCompact(type, JSON.stringify(payload), { key: this.#private, kid: this.kid });
  }
}

async function create(path: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const text = `${JSON.stringify(privateKey.export({ format: 'jwk' }))}\n`;
  await withFile(path, 'wx', async (file) => {
    await file.chmod(0o600);
    await file.writeFile(text);
    await file.sync();
  });
  await syncFolder(dirname(path));
  return text;
}
