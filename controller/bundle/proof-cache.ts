import { createHash } from 'node:crypto';
import { LIMIT } from '#contract/limit.ts';
import type { ProvenPod, ProveToken } from '../ports.ts';

interface Proof {
  readonly pod: ProvenPod;
  readonly until: number;
}

/**
 * Remembers for a short time whom a token belongs to, by the token's digest, so that a long poll costs no review each. Tokens that
 * prove nothing are not remembered. Reviews in flight are bounded; further callers wait for their turn.
 */
export class ProofCache {
  readonly #prove: ProveToken;
  readonly #now: () => number;
  readonly #proofs = new Map<string, Proof>();
  readonly #asked = new Map<string, Promise<ProvenPod | null>>();
  readonly #waiting: (() => void)[] = [];
  #reviews = 0;

  constructor(prove: ProveToken, now: () => number) {
    this.#prove = prove;
    this.#now = now;
  }

  /** @returns null for a token that proves no pod; @throws when the API server does not answer */
  prove(token: string): Promise<ProvenPod | null> {
    const digest = createHash('sha256').update(token).digest('base64url');
    const known = this.#proofs.get(digest);
    if (known !== undefined && this.#now() < known.until) return Promise.resolve(known.pod);
    this.#proofs.delete(digest);
    const asked = this.#asked.get(digest);
    if (asked !== undefined) return asked;
    const answer = this.#review(token, digest).finally(() => this.#asked.delete(digest));
    this.#asked.set(digest, answer);
    return answer;
  }

  async #review(token: string, digest: string): Promise<ProvenPod | null> {
    await this.#turn();
    try {
      const pod = await this.#prove(token);
      if (pod !== null) this.#keep(digest, { pod, until: proofEnd(token, this.#now()) });
      return pod;
    } finally {
      this.#reviews--;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    while (this.#reviews >= LIMIT.tokenReviews) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#reviews++;
  }

  #keep(digest: string, proof: Proof): void {
    const [oldest] = this.#proofs.keys();
    if (this.#proofs.size >= LIMIT.bundleCallers && oldest !== undefined) this.#proofs.delete(oldest);
    this.#proofs.set(digest, proof);
  }
}

/** The token's own end counts only after the API server vouched for it; a token without one is asked about each time. */
function proofEnd(token: string, now: number): number {
  const payload = token.split('.')[1] ?? '';
  const end: unknown = readEnd(Buffer.from(payload, 'base64url').toString('utf8'));
  return typeof end === 'number' ? Math.min(now + LIMIT.bundleProofMs, end * 1_000) : now;
}

function readEnd(text: string): unknown {
  try {
    const claims: unknown = JSON.parse(text);
    return typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : null;
  } catch {
    return null;
  }
}
