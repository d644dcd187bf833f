import type { Policy } from '#contract/policy.ts';
import type { Metrics } from './metrics.ts';

/** What is measured at the moment of a scrape. */
export interface GaugeSources {
  /** The spool, and how long the oldest record has waited for its receipt. */
  readonly audit: () => { readonly bytes: number; readonly limit: number; readonly lagSeconds: number };
  /** The bundle in force with its revision and time of signing (ms), or null. */
  readonly bundle: () => { readonly revision: number; readonly issuedAt: number; readonly policy: Policy } | null;
  readonly now: () => number;
}

/** Sets the gauges. Agreements that left the policy lose their series. */
export function updateGauges(metrics: Metrics, sources: GaugeSources): void {
  const { bytes, limit, lagSeconds } = sources.audit();
  metrics.spoolBytes.set(bytes);
  metrics.spoolLimit.set(limit);
  metrics.auditLag.set(lagSeconds);
  metrics.agreementExpiry.reset();
  const bundle = sources.bundle();
  if (bundle === null) return;
  const now = sources.now();
  metrics.policySerial.set(bundle.revision);
  metrics.policyAge.set((now - bundle.issuedAt) / 1_000);
  for (const { id, contract } of bundle.policy.agreements) {
    if (contract?.expiresOn != null) metrics.agreementExpiry.set({ agreement: id }, (contract.expiresOn - now) / 1_000);
  }
}
