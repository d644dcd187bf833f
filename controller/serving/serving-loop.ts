import { LIMIT } from '#contract/limit.ts';
import type { Clock } from '../clock.ts';
import { ApiError, type KubeApi } from '../cluster/api.ts';
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
  readonly serving: ServingSource;
  /** Null where certificates come from files: then the chart writes caBundle and the collector's Secret too. */
  readonly authority: AuthoritySource | null;
  readonly collector: CollectorLeafTerms;
  /** Of both webhook configurations. */
  readonly webhooks: string;
  readonly isLeader: () => boolean;
  /** Keys, certificate or trust are others than before. */
  readonly onChange: () => void;
  /** @param part of the loop. @param code a status, or a word of ours */
  readonly onFault: (part: string, code: string) => void;
}

/** What the loop found. */
export interface ServingState {
  /** Whether the API server, by each of its webhooks, would accept our certificate (ADM-43). */
  readonly trusted: () => boolean;
  /** End of the collector's certificate, ms; null where this replica does not keep it. */
  readonly collectorEndsAt: () => number | null;
  /** CaBundles that were written since the start. */
  readonly repairs: () => number;
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** One round, for tests. */
  readonly step: () => Promise<void>;
}

/** Before the first certificate is trusted, rounds follow faster. */
const STARTING_MS = 1_000;

/** Keeps keys, authority, certificates and caBundle up, in the order in which each needs the one before. */
export function createServingLoop(parts: ServingParts): ServingState {
  const { api, clock, keys, serving, authority, isLeader } = parts;
  let trusted = false;
  let collectorEndsAt: number | null = null;
  let repairs = 0;
  let known: readonly unknown[] = [];
  const part = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    await work().catch((fault: unknown) => parts.onFault(name, wordOf(fault)));
  };
  const keepUp = async (): Promise<void> => {
    const state = authority?.state() ?? null;
    if (state === null || !isLeader()) return;
    const trust = serving.serving()?.trust;
    if (trust !== undefined) repairs += await writeBundles(api, parts.webhooks, trust);
    collectorEndsAt = await keepCollectorLeaf(parts.collector, api, state, clock.now());
  };
  const judge = async (): Promise<void> => {
    const shown = serving.serving();
    if (shown === null) return void (trusted = false);
    const { bundles } = await readWebhooks(api, parts.webhooks);
    // No webhook at all is nobody who could call us: pods that run still need their policy from this replica.
    trusted = bundles.every((bundle) => chainsTo(shown.chain, bundle, clock.now()));
  };
  const step = async (): Promise<void> => {
    await part('keys', keys.step);
    if (authority !== null) await part('authority', authority.step);
    await part('certificate', serving.step);
    const now = [keys.keys(), serving.serving()];
    if (now.some((value, i) => value !== known[i])) parts.onChange();
    known = now;
    await part('caBundle', keepUp);
    await part('webhooks', judge);
  };
  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await step();
      await clock.sleep(trusted && keys.keys() !== null ? LIMIT.servingCheckMs : STARTING_MS, signal);
    }
  };
  return { trusted: () => trusted, collectorEndsAt: () => collectorEndsAt, repairs: () => repairs, run, step };
}

function wordOf(fault: unknown): string {
  if (fault instanceof ApiError) return fault.status === 0 ? fault.code : String(fault.status);
  if (fault instanceof TypeError) return fault.message;
  return fault instanceof Error && 'code' in fault && typeof fault.code === 'string' ? fault.code : 'FAULT';
}
