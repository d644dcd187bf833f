import type { Logger } from 'pino';
import { LIMIT } from '#contract/limit.ts';
import { policyParameters } from './admission/policy-parameters.ts';
import type { AdmissionSettings } from './admission/settings.ts';
import { type ApiRequest, memberOf } from './api-request.ts';
import { exemptionEntries, nextExemptionTurn } from './policy/exemption-entries.ts';
import type { PolicyCache } from './policy/policy-cache.ts';
import type { ClusterView } from './ports.ts';
import { RoundFault, type Rounds, startRounds, wordsOf } from './rounds.ts';

/** What the keeper of the policies' parameters stands on. */
export interface ExemptionsMapOptions {
  readonly view: ClusterView;
  readonly policies: PolicyCache;
  readonly api: ApiRequest;
  /** Where the object stands: the release's namespace. */
  readonly namespace: string;
  readonly name: string;
  /** How pods are guarded now; null until that is known. */
  readonly settings: () => AdmissionSettings | null;
  readonly labels?: Readonly<Record<string, string>>;
  readonly log: Logger;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** Between two rounds; default `LIMIT.policyReadMs`. */
  readonly gapMs?: number;
}

/**
 * Keeps the object of kind PolicyParameters from which the ValidatingAdmissionPolicies know hardening exemptions and what only run
 * time knows of a guarded pod: written when a grant comes, changes, begins or ends, or settings change, and put right each minute
 * when somebody else wrote to it. For the leader alone.
 */
export function startExemptionsMap(options: ExemptionsMapOptions): Pick<Rounds, 'close' | 'settled'> {
  const { view, log } = options;
  const rounds = startRounds({
    round: () => writeMap(options),
    gapMs: options.gapMs ?? LIMIT.policyReadMs,
    retryMs: LIMIT.statusMs,
    // After an installation the API server serves our kind a while later, and two leaders may meet for a moment.
    onFault: (fault, lasting) =>
      log[lasting ? 'error' : 'debug'](
        { event: 'exemptions_fault', why: wordsOf(fault) },
        'the parameters of the admission policies could not be written: it is tried again',
      ),
  });
  const stop = view.onChange((change) => {
    if (change === 'policy') rounds.ask();
  });
  // Settings change with certificates too, and a pod of new settings is denied until they stand there.
  let seen = options.settings();
  const look = setInterval(() => {
    const settings = options.settings();
    if (settings !== seen) rounds.ask();
    seen = settings;
  }, LIMIT.podLookMs).unref();
  return {
    settled: () => rounds.settled(),
    close: () => {
      stop();
      clearInterval(look);
      rounds.close();
    },
  };
}

async function writeMap(options: ExemptionsMapOptions): Promise<number> {
  const { view, policies, api } = options;
  if (!view.synced()) return LIMIT.policyRefreshMs;
  const now = options.now();
  const { exemptions } = policies.judge(view.policy()).source;
  const objects = `/apis/lazaret.dev/v1alpha1/namespaces/${options.namespace}/policyparameters`;
  const there = await api({ method: 'GET', path: `${objects}/${options.name}` });
  if (there.status !== 404 && there.status >= 300)
    throw new RoundFault(`the API server answered parameters with ${there.status}`);
  const former = textsOf(memberOf(there.body, 'data'));
  const settings = options.settings();
  const data = { ...exemptionEntries(exemptions, now), ...runTimeValues(settings, former) };
  if (there.status === 404) {
    // Without what run time knows every guarded pod is denied, as it is without the object: it waits for both.
    if (settings === null) return LIMIT.policyRefreshMs;
    await write(options, { method: 'POST', path: objects, data, version: undefined });
  } else if (!isSame(former, data)) {
    const version = memberOf(memberOf(there.body, 'metadata'), 'resourceVersion');
    await write(options, { method: 'PUT', path: `${objects}/${options.name}`, data, version });
  }
  const turn = settings === null ? now + LIMIT.policyRefreshMs : nextExemptionTurn(exemptions, now);
  return turn === null ? LIMIT.turnMs : turn - options.now();
}

/** While settings are not known, what stands there stays: the end of an exemption does not wait for them. */
function runTimeValues(
  settings: AdmissionSettings | null,
  former: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (settings !== null) return policyParameters(settings, former);
  return Object.fromEntries(Object.entries(former).filter(([key]) => key.startsWith('_')));
}

function textsOf(data: unknown): Readonly<Record<string, string>> {
  if (typeof data !== 'object' || data === null) return {};
  return Object.fromEntries(
    Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

interface Writing {
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  readonly data: Readonly<Record<string, string>>;
  readonly version: unknown;
}

/** @throws RoundFault when it was not written: a conflict too, since a round then looks again */
async function write(
  { api, namespace, name, labels }: ExemptionsMapOptions,
  { method, path, data, version }: Writing,
): Promise<void> {
  const { status } = await api({
    method,
    path,
    body: {
      apiVersion: 'lazaret.dev/v1alpha1',
      kind: 'PolicyParameters',
      metadata: {
        name,
        namespace,
        ...(labels === undefined ? {} : { labels }),
        ...(version === undefined ? {} : { resourceVersion: version }),
      },
      data,
    },
  });
  if (status >= 300) throw new RoundFault(`the API server answered ${method} of parameters with ${status}`);
}

function isSame(there: Readonly<Record<string, string>>, data: Readonly<Record<string, string>>): boolean {
  const has = Object.entries(there);
  return has.length === Object.keys(data).length && has.every(([key, value]) => data[key] === value);
}
