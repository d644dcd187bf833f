import type { BundlePayload } from '#contract/bundle.ts';
import { LIMIT } from '#contract/limit.ts';
import type { Policy } from '#contract/policy.ts';
import type { BundleServer } from './bundle-client.ts';
import { readBounded } from './bundle-file.ts';
import { BundleKeeper, type BundleState, type KeeperOptions } from './bundle-keeper.ts';
import { followServer, restoreBundle } from './follow-server.ts';

/** Where the bundle comes from and how it is looked at. */
export interface BundleOptions extends KeeperOptions {
  /** The signed bundle: one compact JWS. Somebody else writes it, or with a server, this process keeps the last good one there. */
  readonly file: string;
  /** Where bundles are fetched; when it is absent the file alone is read. */
  readonly server?: BundleServer;
  /** How often the file and the clock are looked at; default `LIMIT.bundlePollMs`. */
  readonly pollMs?: number;
  /** The shortest wait between two requests; default `LIMIT.bundleRetryMs`. */
  readonly retryMs?: number;
}

/** The policy bundle of this process. */
export interface Bundle {
  state(): BundleState;
  /** @returns the policy to decide by at this moment; null when it is missing or stale, and then everything is refused */
  current(): Policy | null;
  /** @returns the last verified bundle with serial and age, stale or not */
  payload(): BundlePayload | null;
  /**
   * Calls back when decisions may have changed: after each new bundle, and within one look after a grant or an agreement began or
   * ended or the bundle became stale. @returns the way to stop that
   */
  onChange(listener: (payload: BundlePayload) => void): () => void;
  /** Looks at the clock now, and without a server at the file. @returns when what it holds was taken or not */
  check(): Promise<void>;
  /** Stops looking. The last bundle stays in force until it is stale. */
  close(): void;
}

/**
 * Opens the bundle: reads and verifies the file, then follows it or the server. A missing or bad one is no error here: there is
 * no policy then, and no policy refuses.
 */
export async function openBundle(options: BundleOptions): Promise<Bundle> {
  const keeper = new BundleKeeper(options);
  const { file, server, retryMs } = options;
  const check = server === undefined ? checkFile(file, keeper) : () => Promise.resolve(keeper.meetTimes());
  if (server === undefined) await check();
  else await restoreBundle(file, keeper);
  const stops = [repeat(check, options.pollMs ?? LIMIT.bundlePollMs)];
  if (server !== undefined)
    stops.push(followServer({ file, server, ...(retryMs === undefined ? {} : { retryMs }) }, keeper));
  return {
    state: () => keeper.state(),
    current: () => keeper.current(),
    payload: () => keeper.payload(),
    onChange: (listener) => keeper.onChange(listener),
    check,
    close: () => {
      for (const stop of stops) stop();
      keeper.close();
    },
  };
}

/** @returns a look at the file; one at a time, since two could take their bundles in the wrong order */
function checkFile(file: string, keeper: BundleKeeper): () => Promise<void> {
  let seen: string | null = null;
  let checking: Promise<void> | null = null;
  const look = async (): Promise<void> => {
    keeper.meetTimes();
    try {
      const text = await readBounded(file, LIMIT.bundleBytes);
      if (text === null) throw new Error('its file cannot be opened');
      if (text === seen) return;
      await keeper.take(text);
      // What was not taken is tried again: its key, or a clock, may be set right meanwhile.
      seen = text;
    } catch (error) {
      keeper.refuse(error instanceof Error ? error.message : 'it could not be read');
    }
  };
  return () => {
    checking ??= look().finally(() => {
      checking = null;
    });
    return checking;
  };
}

function repeat(work: () => Promise<void>, everyMs: number): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const plan = (): void => {
    if (stopped) return;
    timer = setTimeout(() => void work().then(plan), everyMs);
    timer.unref();
  };
  plan();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
