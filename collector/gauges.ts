import { statfs } from 'node:fs/promises';
import type { ServingCertificate } from './ingest/serving-certificate.ts';
import type { Metrics } from './metrics.ts';
import type { EvidenceStore } from './store/evidence-store.ts';

/** What is measured at the moment of a scrape. */
export interface GaugeSources {
  readonly dir: string;
  readonly store: EvidenceStore;
  readonly certificate: ServingCertificate | null;
  /** Ms since 1970. */
  readonly now: () => number;
}

/** Sets the gauges. Before a controller ever put a list there is no age of it, so that nothing alerts where there is none. */
export async function updateGauges(metrics: Metrics, { dir, store, certificate, now }: GaugeSources): Promise<void> {
  metrics.chains.set(store.size);
  metrics.expectedChains.set(store.expected.size);
  metrics.expectedAge.remove();
  const { issuedAt } = store.expected;
  if (issuedAt !== null) metrics.expectedAge.set(now() / 1_000 - issuedAt);
  if (certificate !== null)
    metrics.certificateExpiry.set({ certificate: 'collector' }, (certificate.expiresAt - now()) / 1_000);
  const { bavail, blocks, bsize } = await statfs(dir);
  metrics.volumeFree.set(bavail * bsize);
  metrics.volumeSize.set(blocks * bsize);
}
