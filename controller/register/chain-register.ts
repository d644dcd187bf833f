import { isChainId, genesis } from '#contract/chain.ts';
import type { Expected, Manifest } from '#contract/chain-protocol.ts';
import { LIMIT } from '#contract/limit.ts';
import { podNameOf } from '#contract/pod-proof.ts';
import type { PodSummary } from '../ports.ts';

type Line = Expected['chains'][number];

/**
 * The chains of evidence that must exist: one for each pod that was seen with a running guard, kept for as long as evidence is. What
 * the collector signed for once is never taken back, so that a collector which lost or changed records contradicts the register.
 */
export class ChainRegister {
  readonly #lines = new Map<string, Line>();
  readonly #retentionMs: number;
  #refused = 0;

  constructor(retentionMs: number) {
    this.#retentionMs = retentionMs;
  }

  get size(): number {
    return this.#lines.size;
  }

  /** @returns how often since the last question a chain could not be added because the register is full */
  takeRefused(): number {
    const refused = this.#refused;
    this.#refused = 0;
    return refused;
  }

  /** Goes on from a list that was written before; what is known already stays. */
  resume(expected: Expected): void {
    for (const line of expected.chains) {
      const known = this.#lines.get(line.chain);
      const further = known === undefined || line.seq > known.seq ? line : known;
      this.#put({
        ...(known ?? line),
        seq: further.seq,
        head: further.head,
        from: earlier(known, line),
        to: known === undefined ? line.to : known.to,
      });
    }
  }

  /**
   * Takes in what the pod watch shows. A pod that failed before its guard ran has no chain to expect; one that ended well had one.
   * @param pods every pod there is
   * @param now ms since the epoch
   */
  observe(pods: Iterable<PodSummary>, now: number): void {
    const living = new Set<string>();
    for (const pod of pods) {
      if (pod.chain === null || !isChainId(pod.chain)) continue;
      const ended = pod.phase === 'Succeeded' || pod.phase === 'Failed';
      if (!ended) living.add(pod.chain);
      const known = this.#lines.get(pod.chain);
      if (known !== undefined && !ended && known.to !== null) this.#put({ ...known, to: null });
      if (known === undefined && (pod.ready || pod.phase === 'Running' || pod.phase === 'Succeeded'))
        this.#put({
          chain: pod.chain,
          pod: podNameOf(pod),
          from: new Date(pod.createdAt).toISOString(),
          to: null,
          seq: 0,
          head: genesis(pod.chain).hash.toString('base64url'),
        });
    }
    for (const line of this.#lines.values())
      if (line.to === null && !living.has(line.chain)) this.#put({ ...line, to: new Date(now).toISOString() });
  }

  /** Takes in how far each chain goes at the collector; a chain never goes back. */
  advance(manifest: Manifest): void {
    for (const { chain, seq, head } of manifest.chains) {
      const known = this.#lines.get(chain);
      if (known !== undefined && seq > known.seq) this.#put({ ...known, seq, head });
    }
  }

  /** Forgets chains that ended longer ago than evidence is kept. */
  prune(now: number): void {
    for (const { chain, to } of this.#lines.values())
      if (to !== null && now - Date.parse(to) > this.#retentionMs) this.#lines.delete(chain);
  }

  /** @returns the list as it is signed */
  write(now: number): Expected {
    return { v: 1, iat: Math.floor(now / 1_000), chains: [...this.#lines.values()] };
  }

  #put(line: Line): void {
    if (!this.#lines.has(line.chain) && this.#lines.size >= LIMIT.expectedChains) this.#refused++;
    else this.#lines.set(line.chain, line);
  }
}

function earlier(known: Line | undefined, line: Line): string {
  return known !== undefined && known.from < line.from ? known.from : line.from;
}
