import type { ChainId } from './brand.ts';

/** Where things lie in an evidence store. Everything in it is public or sealed; `lazaret audit` needs nothing else. */
export const STORE_LAYOUT = {
  /** The public keys of the collector, and those of the controller that sign the expected chains. */
  jwks: 'jwks.json',
  /** Signed: which chains there are and how far they go. */
  manifest: 'manifest.jws',
  /** Signed by the controller: the chains that must exist. */
  expected: 'expected.jws',
  chains: 'chains',
} as const;

/** What lies in a chain's folder beside its segments. */
export const CHAIN_LAYOUT = {
  /** Signed: the last receipt. */
  receipt: 'receipt.jws',
  /** Signed: the pod's keys, a line each. */
  attestations: 'attestations.jws',
  /** Bytes that a pod sent where others were stored before. */
  conflicts: 'conflicts',
} as const;

/** The folder of a chain, relative to the store. */
export function chainFolder(chain: ChainId): string {
  return `${STORE_LAYOUT.chains}/${chain}`;
}
