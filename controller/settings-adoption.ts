import { LIMIT } from '#contract/limit.ts';
import { POD_FILE } from '#contract/pod-shape.ts';
import { acceptsSettings } from './admission/policy-parameters.ts';
import type { AdmissionSettings } from './admission/settings.ts';
import { type ApiRequest, memberOf } from './api-request.ts';
import type { Clock } from './clock.ts';
import type { BaseSource } from './webhook-context.ts';

/** What the adoption of settings stands on. */
export interface AdoptionOptions {
  readonly base: Pick<BaseSource, 'base' | 'waiting' | 'adopt'>;
  readonly api: ApiRequest;
  /** Path of the admission policies' parameters. */
  readonly parameters: string;
  readonly clock: Clock;
}

/** Files that are made of what the release keeps in Secrets. */
const KEPT_FILES = [POD_FILE.bundleKeys, POD_FILE.releaseAuthority] as const;

/** Between two looks whether settings wait. */
const LOOK_MS = 500;

/**
 * Lets new settings be used only when the parameters of the admission policies accept them: a pod that is guarded by settings
 * of which an API server has not heard is denied. The leader writes the parameters; every replica waits here for them. After
 * `LIMIT.settingsWaitMs` they are used all the same, since a denial is what then tells somebody. Runs until the signal aborts.
 */
export async function followAdoption(
  { base, api, parameters, clock }: AdoptionOptions,
  signal: AbortSignal,
): Promise<void> {
  let seen: AdmissionSettings | null = null;
  let since = 0;
  while (!signal.aborted) {
    const waiting = base.waiting();
    if (waiting !== seen) since = clock.now();
    seen = waiting;
    if (waiting !== null) {
      const isHeard = await isAccepted(api, parameters, waiting).catch(() => false);
      if (isHeard) await clock.sleep(hearingMs(base.base()?.settings, waiting), signal);
      if (isHeard || clock.now() - since >= LIMIT.settingsWaitMs) base.adopt(waiting);
    }
    await clock.sleep(LOOK_MS, signal);
  }
}

/**
 * How long it takes until everybody accepts settings: API servers and the other replicas watch the values, but each replica looks for the
 * release's keys and authority at intervals of its own.
 */
function hearingMs(current: AdmissionSettings | undefined, next: AdmissionSettings): number {
  const isWatched = KEPT_FILES.every((name) => current === undefined || current.files[name] === next.files[name]);
  return isWatched ? LIMIT.settingsHeardMs : LIMIT.servingCheckMs + LIMIT.settingsHeardMs;
}

/** Without the kind of the parameters there are no policies that could refuse anything. */
async function isAccepted(api: ApiRequest, path: string, settings: AdmissionSettings): Promise<boolean> {
  const { status, body } = await api({ method: 'GET', path });
  if (status === 404) return memberOf(memberOf(body, 'details'), 'name') === undefined;
  const data = memberOf(body, 'data');
  if (status >= 300 || typeof data !== 'object' || data === null) return false;
  return acceptsSettings(data as Readonly<Record<string, string>>, settings);
}
