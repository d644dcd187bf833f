import { CompactSign } from 'jose';
import { BUNDLE_TYPE, type Serial } from '#contract/bundle.ts';
import { LIMIT } from '#contract/limit.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { SigningKeys } from '../ports.ts';
import { type BundleTag, contentTag } from './bundle-tag.ts';

/** A bundle as callers get it. */
export interface SignedBundle {
  readonly jws: Promise<Buffer>;
  readonly serial: Serial;
  readonly tag: BundleTag;
}

/** Signs bundles: one signature for each policy, however many pods share it, kept for as long as a change takes to reach them all. */
export class BundleSigner {
  readonly #now: () => number;
  readonly #signed = new Map<string, SignedBundle>();
  readonly #open = new Set<Promise<Buffer>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * @param revision of the inputs that the policy was compiled from
   * @param after the time of signing that the caller has seen: a guard takes no bundle of the same serial that was signed before it
   */
  sign(
    compiled: CompiledPolicy,
    keys: SigningKeys,
    { revision, after }: { readonly revision: number; readonly after: number },
  ): SignedBundle {
    const content = contentTag(compiled, keys);
    const now = this.#now();
    const known = this.#signed.get(content);
    if (
      known !== undefined &&
      known.serial.revision >= revision &&
      known.tag.issuedAt >= after &&
      now - known.tag.issuedAt < LIMIT.bundleShareMs
    )
      return known;
    const issuedAt = Math.max(now, after);
    const serial = { epoch: keys.epoch, revision };
    const fresh = { jws: signBundle({ compiled, keys, serial, issuedAt }), serial, tag: { content, issuedAt } };
    this.#keep(content, fresh);
    return fresh;
  }

  /** Waits until every signature that was begun is made. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#open);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#signed.clear();
  }

  /** A thousand bundles are tens of megabytes: few are kept, and no longer than they are shared. */
  #keep(content: string, bundle: SignedBundle): void {
    const done = (): void => void this.#open.delete(bundle.jws);
    this.#open.add(bundle.jws);
    bundle.jws.then(done, done);
    this.#signed.delete(content);
    const [oldest] = this.#signed.keys();
    if (this.#signed.size >= LIMIT.signedBundles && oldest !== undefined) this.#signed.delete(oldest);
    this.#signed.set(content, bundle);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#signed.clear();
    }, LIMIT.bundleShareMs).unref();
  }
}

interface Unsigned {
  readonly compiled: CompiledPolicy;
  readonly keys: SigningKeys;
  readonly serial: Serial;
  readonly issuedAt: number;
}

/** Compact JWS under ES256 (RFC 7515 §3.1); its payload is what `BUNDLE_PAYLOAD` describes. */
async function signBundle({ compiled, keys, serial, issuedAt }: Unsigned): Promise<Buffer> {
  const head = JSON.stringify({ version: 1, serial, issuedAt });
  const next = keys.next === null ? '' : `,"nextKey":${JSON.stringify(publicPart(keys.next))}`;
  const payload = Buffer.from(`${head.slice(0, -1)},"policy":${compiled.text()}${next}}`);
  const jws = await new CompactSign(payload)
    .setProtectedHeader({ alg: 'ES256', typ: BUNDLE_TYPE, kid: keys.currentKid })
    .sign(keys.current);
  return Buffer.from(jws, 'latin1');
}

/** Named one by one: what else stands beside a key must not travel. */
function publicPart({ kty, crv, x, y }: NonNullable<SigningKeys['next']>): NonNullable<SigningKeys['next']> {
  return { kty, crv, x, y };
}
