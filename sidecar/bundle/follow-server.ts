import { setTimeout as sleep } from 'node:timers/promises';
import { formatSerial } from '#contract/bundle.ts';
import { LIMIT } from '#contract/limit.ts';
import type { BundleAnswer } from './bundle-client.ts';
import { BundleClient, type BundleServer } from './bundle-client.ts';
import { readBounded, replaceWhole } from './bundle-file.ts';
import { readTrustedKeys } from './bundle-key.ts';
import type { BundleKeeper } from './bundle-keeper.ts';

/** Where bundles come from and where the last good one is kept. */
export interface FollowOptions {
  readonly file: string;
  readonly server: BundleServer;
  /** The shortest wait between two requests; default `LIMIT.bundleRetryMs`. */
  readonly retryMs?: number;
}

/** Beside the last bundle: the public keys that bundles named. A pod outlives a change of keys that its key file does not know. */
const keysFileOf = (file: string): string => `${file}.keys`;

/** Puts what an earlier process of this pod kept back in force. A pod that starts has nothing yet. */
export async function restoreBundle(file: string, keeper: BundleKeeper): Promise<void> {
  try {
    const keys = await readBounded(keysFileOf(file), LIMIT.bundleBytes);
    if (keys !== null) keeper.learn(await readTrustedKeys(keys));
    const text = await readBounded(file, LIMIT.bundleBytes);
    if (text !== null) await keeper.take(text);
  } catch (error) {
    keeper.refuse(messageOf(error));
  }
}

/**
 * Asks the server for bundles, one long request after the other, until it is stopped. What verifies is in force first and on
 * disk then. A server that is away, refuses or lies changes nothing: the last good bundle stays in force until its age ends it.
 * @returns the way to stop
 */
export function followServer(options: FollowOptions, keeper: BundleKeeper): () => void {
  const client = new BundleClient(options.server);
  const stopped = new AbortController();
  void follow(options, keeper, { client, stopped: stopped.signal });
  return () => {
    stopped.abort();
    client.close();
  };
}

async function follow(
  { file, retryMs = LIMIT.bundleRetryMs }: FollowOptions,
  keeper: BundleKeeper,
  { client, stopped }: { readonly client: BundleClient; readonly stopped: AbortSignal },
): Promise<void> {
  let etag: string | null = null;
  let faults = 0;
  while (!stopped.aborted) {
    const from = performance.now();
    const payload = keeper.payload();
    const answer = await client.ask({ etag, serial: payload === null ? null : formatSerial(payload.serial) });
    if (stopped.aborted) return;
    const why = await settle(answer, keeper);
    if (why !== null) keeper.refuse(why);
    if (why === null && answer.kind === 'bundle') {
      ({ etag } = answer);
      await keep(file, answer.text, keeper);
    }
    faults = why === null ? 0 : faults + 1;
    const asked = answer.kind === 'fault' ? answer.afterMs : 0;
    // An answer that came at once must not become a request without pause.
    const wait = faults === 0 ? retryMs - (performance.now() - from) : Math.max(asked, backOff(retryMs, faults));
    if (wait > 0) await sleep(wait, undefined, { signal: stopped, ref: false }).catch(() => undefined);
  }
}

/** @returns why nothing was taken that should have been, as half a sentence; null when all is well */
async function settle(answer: BundleAnswer, keeper: BundleKeeper): Promise<string | null> {
  if (answer.kind === 'fault') return answer.why;
  try {
    if (answer.kind === 'bundle') await keeper.take(answer.text);
    else keeper.recover();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** Keys before the bundle: a bundle without the key that verifies it would be lost. */
async function keep(file: string, text: string, keeper: BundleKeeper): Promise<void> {
  try {
    const keys = keeper.learned().map(({ jwk }) => jwk);
    if (keys.length > 0) await replaceWhole(keysFileOf(file), JSON.stringify({ keys }));
    await replaceWhole(file, text);
  } catch {
    keeper.tell('The policy bundle in force could not be kept for a restart: its directory cannot be written.');
  }
}

/** Doubles up to the bound, and spreads a fleet that lost its server at one moment: half of it is chance. */
export function backOff(retryMs: number, faults: number): number {
  const longest = Math.min(LIMIT.bundleBackoffMs, retryMs * 2 ** Math.min(faults - 1, 16));
  return longest * (0.5 + Math.random() / 2);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it could not be read';
}
