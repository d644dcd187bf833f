import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { GeneralEncrypt, importJWK } from 'jose';
import { KEY_WRAP, type PartName, sealPart } from '#contract/seal.ts';
import type { Recipient } from './recipients.ts';

const NONCE_BYTES = 12;
const NONCE_FIXED_BYTES = 4;

/**
 * The key that the parts of one segment are sealed under. It is the only secret that could open what this pod recorded, and
 * lives as long as its segment is written.
 */
export class ContentKey {
  readonly kid: string;
  /** The key frame's payload: this key wrapped to every recipient (RFC 7516 §7.2.1). */
  readonly wrapped: Buffer;
  readonly #secret: KeyObject;
  readonly #nonce: Buffer;

  private constructor(kid: string, wrapped: Buffer, secret: KeyObject) {
    this.kid = kid;
    this.wrapped = wrapped;
    this.#secret = secret;
    // SP 800-38D §8.2.1: a fixed field and a counter. The key is this process's alone, so a nonce cannot come twice.
    this.#nonce = Buffer.concat([randomBytes(NONCE_FIXED_BYTES), Buffer.alloc(NONCE_BYTES - NONCE_FIXED_BYTES)]);
  }

  /** Makes a random key and wraps it to all recipients. Takes about a millisecond per recipient. */
  static async create(recipients: readonly Recipient[]): Promise<ContentKey> {
    const kid = randomBytes(9).toString('base64url');
    const bytes = randomBytes(32);
    const jwe = new GeneralEncrypt(bytes).setProtectedHeader({ enc: KEY_WRAP.enc, cek: kid });
    for (const recipient of recipients) {
      const key = await importJWK({ kty: 'EC', crv: 'P-256', x: recipient.x, y: recipient.y }, KEY_WRAP.alg);
      jwe.addRecipient(key).setUnprotectedHeader({ alg: KEY_WRAP.alg, kid: recipient.kid });
    }
    const wrapped = Buffer.from(JSON.stringify(await jwe.encrypt()));
    const secret = createSecretKey(bytes);
    bytes.fill(0);
    return new ContentKey(kid, wrapped, secret);
  }

  /** Seals one part. @returns the compact JWE. */
  seal(name: PartName, plain: readonly Uint8Array[]): Buffer {
    this.#nonce.writeBigUInt64BE(this.#nonce.readBigUInt64BE(NONCE_FIXED_BYTES) + 1n, NONCE_FIXED_BYTES);
    return sealPart({ secret: this.#secret, kid: this.kid }, this.#nonce, name, plain);
  }
}

/** Keeps one content key ready, so that a new segment does not make an exchange wait for key agreement. */
export class ContentKeys {
  readonly #recipients: readonly Recipient[];
  #ready: ContentKey | null = null;
  #making: Promise<void> | null = null;

  constructor(recipients: readonly Recipient[]) {
    this.#recipients = recipients;
  }

  /** @returns a fresh key, or null while one is being made. */
  take(): ContentKey | null {
    const key = this.#ready;
    this.#ready = null;
    // A failure shows to whoever awaits `next`; the next call tries again.
    this.#prepare().catch(() => undefined);
    return key;
  }

  /** @returns a fresh key, waiting for it. */
  async next(): Promise<ContentKey> {
    for (;;) {
      const key = this.take();
      if (key !== null) return key;
      await this.#prepare();
    }
  }

  /** Waits until `take` gives a key. */
  async prepared(): Promise<void> {
    if (this.#ready === null) await this.#prepare();
  }

  async #prepare(): Promise<void> {
    this.#making ??= ContentKey.create(this.#recipients)
      .then((key) => {
        this.#ready = key;
      })
      .finally(() => {
        this.#making = null;
      });
    await this.#making;
  }
}
