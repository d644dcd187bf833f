import type { Logger } from 'pino';
import { LIMIT } from '#contract/limit.ts';
import { type ApiRequest, memberOf } from './api-request.ts';
import { exemptionEntries, nextExemptionTurn } from './policy/exemption-entries.ts';
import type { PolicyCache } from './policy/policy-cache.ts';
import type { ClusterView } from './ports.ts';
import { type Rounds, startRounds } from './rounds.ts';

/** What the keeper of the ConfigMap of exemptions stands on. */
export interface ExemptionsMapOptions {
  readonly view: ClusterView;
  readonly policies: PolicyCache;
  readonly api: ApiRequest;
  /** Where the ConfigMap stands: the release's namespace. */
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly log: Logger;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** Between two rounds; default `LIMIT.policyReadMs`. */
  readonly gapMs?: number;
}

/**
 * Keeps the ConfigMap from which the ValidatingAdmissionPolicies know hardening exemptions: written when a grant comes, changes,
 * begins or ends, and put right each minute when somebody else wrote to it. For the leader alone.
 */
export function startExemptionsMap(options: ExemptionsMapOptions): Pick<Rounds, 'close' | 'settled'> {
  const { view, log } = options;
  const rounds = startRounds({
    round: () => writeMap(options),
    gapMs: options.gapMs ?? LIMIT.policyReadMs,
    retryMs: LIMIT.statusMs,
    onFault: () =>
      log.error({ event: 'exemptions_fault' }, 'the ConfigMap of exemptions could not be written: it is tried again'),
  });
  const stop = view.onChange((change) => {
    if (change === 'policy') rounds.ask();
  });
  return {
    settled: () => rounds.settled(),
    close: () => {
      stop();
      rounds.close();
    },
  };
}

async function writeMap(options: ExemptionsMapOptions): Promise<number> {
  const { view, policies, api } = options;
  if (!view.synced()) return LIMIT.policyRefreshMs;
  const now = options.now();
  const { exemptions } = policies.judge(view.policy()).source;
  const data = exemptionEntries(exemptions, now);
  const maps = `/api/v1/namespaces/${options.namespace}/configmaps`;
  const there = await api({ method: 'GET', path: `${maps}/${options.name}` });
  if (there.status === 404) await write(options, { method: 'POST', path: maps, data, version: undefined });
  else if (there.status >= 300) throw new Error(`the API server answered a ConfigMap with ${there.status}`);
  else if (!isSame(memberOf(there.body, 'data'), data)) {
    const version = memberOf(memberOf(there.body, 'metadata'), 'resourceVersion');
    await write(options, { method: 'PUT', path: `${maps}/${options.name}`, data, version });
  }
  const turn = nextExemptionTurn(exemptions, now);
  return turn === null ? LIMIT.turnMs : turn - options.now();
}

interface Writing {
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  readonly data: Readonly<Record<string, string>>;
  readonly version: unknown;
}

/** @throws Error when it was not written: a conflict too, since a round then looks again */
async function write(
  { api, namespace, name, labels }: ExemptionsMapOptions,
  { method, path, data, version }: Writing,
): Promise<void> {
  const { status } = await api({
    method,
    path,
    body: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        namespace,
        ...(labels === undefined ? {} : { labels }),
        ...(version === undefined ? {} : { resourceVersion: version }),
      },
      data,
    },
  });
  if (status >= 300) throw new Error(`the API server answered a ConfigMap with ${status}`);
}

function isSame(there: unknown, data: Readonly<Record<string, string>>): boolean {
  const has = typeof there === 'object' && there !== null ? Object.entries(there) : [];
  return has.length === Object.keys(data).length && has.every(([key, value]) => data[key] === value);
}
