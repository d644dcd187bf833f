import { LIMIT } from '#contract/limit.ts';
import type { Clock } from '../clock.ts';
import { ApiError, type KubeApi } from '../cluster/api.ts';
import type { EvaluationKeys } from '../evaluation-keys.ts';
import type { KeySource } from '../release-keys.ts';
import type { AuthoritySource } from './authority-secret.ts';
import { readWebhooks, writeBundles } from './ca-bundle.ts';
import { chainsTo } from './chain-check.ts';
import { type CollectorLeafTerms, keepCollectorLeaf } from './collector-leaf.ts';
import type { ServingSource } from './serving-source.ts';

/** What the loop keeps up. */
export interface ServingParts {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly keys: KeySource;
  readonly evaluation: EvaluationKeys;
  readonly serving: ServingSource;
  /** Null where certificates come from files: then the chart writes caBundle and the collector's Secret too. */
  readonly authority: AuthoritySource | null;
  readonly collector: CollectorLeafTerms;
  /** Of both webhook configurations. */
  readonly webhooks: string;
  readonly isLeader: () => boolean;
  /** @param part of the loop. @param code a status, or a word of ours */
  readonly onFault: (part: string, code: string) => void;
}

/** What the loop found. */
export interface ServingLoop {
  /** Whether the API server, by each of its webhooks, would accept our certificate (ADM-43). */
  readonly trusted: () => boolean;
  /** End of the collector's certificate, ms; null where this replica does not keep it. */
  readonly collectorEndsAt: () => number | null;
  /** CaBundles that were written since the start. */
  readonly repairs: () => number;
  /** @param onChange keys, certificate or trust are others than before */
  readonly run: (onChange: () => void, signal: AbortSignal) => Promise<void>;
  /** One round. @returns whether keys, certificate or trust are others than before */
  readonly step: () => Promise<boolean>;
}

/** Before the first certificate is trusted, rounds follow faster. */
const STARTING_MS = 1_000;

/** Keeps keys, authority, certificates and caBundle up, in the order in which each needs the one before. */
export function createServingLoop(parts: ServingParts): ServingLoop {
  const { clock, keys, evaluation, serving, authority, isLeader } = parts;
  const found = { trusted: false, collectorEndsAt: null as number | null, repairs: 0 };
  let known: readonly unknown[] = [];
  const part = (name: string, work: () => Promise<unknown>): Promise<unknown> =>
    work().catch((fault: unknown) => parts.onFault(name, wordOf(fault)));
  const step = async (): Promise<boolean> => {
    await part('keys', keys.step);
    await part('evaluation', evaluation.step);
    if (authority !== null) await part('authority', authority.step);
    await part('certificate', serving.step);
    const state = authority?.state() ?? null;
    if (state !== null && isLeader()) {
      await part('caBundle', async () => (found.repairs += await publish(parts)));
      await part('collector', async () => {
        found.collectorEndsAt = await keepCollectorLeaf(parts.collector, parts.api, state, clock.now());
      });
    }
    // Whoever leads now keeps it: what a former leader remembers would be told as a certificate that nobody renewed.
    if (!isLeader()) found.collectorEndsAt = null;
    await part('webhooks', async () => (found.trusted = await isTrusted(parts)));
    const before = known;
    known = [keys.keys(), evaluation.recipients(), serving.serving()];
    return known.some((value, i) => value !== before[i]);
  };
  const run = async (onChange: () => void, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      if (await step()) onChange();
      await clock.sleep(found.trusted && keys.keys() !== null ? LIMIT.servingCheckMs : STARTING_MS, signal);
    }
  };
  return {
    trusted: () => found.trusted,
    collectorEndsAt: () => found.collectorEndsAt,
    repairs: () => found.repairs,
    run,
    step,
  };
}

async function publish({ api, webhooks, serving }: ServingParts): Promise<number> {
  const shown = serving.serving();
  return shown === null ? 0 : writeBundles(api, webhooks, shown.trust);
}

async function isTrusted({ api, webhooks, serving, clock }: ServingParts): Promise<boolean> {
  const shown = serving.serving();
  if (shown === null) return false;
  const { bundles } = await readWebhooks(api, webhooks);
  // No webhook at all is nobody who could call us: pods that run still need their policy from this replica.
  return bundles.every((bundle) => chainsTo(shown.chain, bundle, clock.now()));
}

function wordOf(fault: unknown): string {
  if (fault instanceof ApiError) return fault.status === 0 ? fault.code : String(fault.status);
  if (fault instanceof TypeError) return fault.message;
  return fault instanceof Error && 'code' in fault && typeof fault.code === 'string' ? fault.code : 'FAULT';
}
