import type { Logger } from 'pino';
import { LIMIT } from '#contract/limit.ts';
import type { ResourceKind } from '#contract/policy-schema.ts';
import { type ApiRequest, memberOf } from './api-request.ts';
import { type Condition, mergeConditions } from './policy/merge-conditions.ts';
import { wantedConditions } from './policy/conditions.ts';
import { nextTerm } from './policy/expiry.ts';
import type { ResourceVerdict } from './policy/judge.ts';
import type { PolicyCache } from './policy/policy-cache.ts';
import { findUsed } from './policy/usage.ts';
import type { ClusterView } from './ports.ts';
import { RoundFault, type Rounds, startRounds, wordsOf } from './rounds.ts';

/** What the keeper of statuses stands on. */
export interface ResourceStatusOptions {
  readonly view: ClusterView;
  readonly policies: PolicyCache;
  readonly api: ApiRequest;
  /** Who reports events: this pod. */
  readonly instance: string;
  readonly log: Logger;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** Between two rounds; default `LIMIT.statusMs`. */
  readonly gapMs?: number;
}

const PLURALS: Readonly<Record<ResourceKind, string>> = {
  ProviderAgreement: 'provideragreements',
  EgressPolicy: 'egresspolicies',
  GuardExemption: 'guardexemptions',
};
const COMPONENT = 'lazaret-controller';

/**
 * Keeps `status.conditions` of the three resources, and tells of transitions by events. For the leader alone. A status is written
 * only where it says something else than what stands there, under the resourceVersion that was read: what another wrote meanwhile
 * is looked at first. Our own writes change no policy, so that they wake no sidecar.
 */
export function startResourceStatus(options: ResourceStatusOptions): Pick<Rounds, 'close' | 'settled'> {
  const { view, log } = options;
  const rounds = startRounds({
    round: () => writeAll(options),
    gapMs: options.gapMs ?? LIMIT.statusMs,
    retryMs: LIMIT.turnMs / 4,
    onFault: (fault, lasting) =>
      log[lasting ? 'warn' : 'debug'](
        { event: 'status_fault', why: wordsOf(fault) },
        'the status of a resource could not be written: it is tried again',
      ),
  });
  const stop = view.onChange((change) => {
    if (change !== 'namespaces') rounds.ask();
  });
  return {
    settled: () => rounds.settled(),
    close: () => {
      stop();
      rounds.close();
    },
  };
}

async function writeAll(options: ResourceStatusOptions): Promise<number> {
  const { view, policies } = options;
  if (!view.synced()) return LIMIT.statusMs;
  const judged = policies.judge(view.policy());
  const guarded = [...view.pods()].filter(
    ({ chain, phase }) => chain !== null && phase !== 'Succeeded' && phase !== 'Failed',
  );
  const used = findUsed(judged, guarded, policies);
  const faults: unknown[] = [];
  for (const verdict of judged.verdicts)
    await writeOne(options, verdict, used.has(verdict)).catch((fault: unknown) => faults.push(fault));
  if (faults.length > 0) throw faults[0];
  const now = options.now();
  const turn = nextTerm(judged, now);
  return turn === null ? LIMIT.turnMs : turn - now;
}

async function writeOne(options: ResourceStatusOptions, verdict: ResourceVerdict, used: boolean): Promise<void> {
  const now = options.now();
  const { conditions, changed, turned } = mergeConditions(verdict.raw, wantedConditions(verdict, used, now), now);
  if (!changed) return;
  const { status } = await options.api({
    method: 'PATCH',
    path: `${resourcePath(verdict)}/status`,
    contentType: 'application/merge-patch+json',
    body: {
      metadata: { resourceVersion: memberOf(memberOf(verdict.raw, 'metadata'), 'resourceVersion') },
      status: { conditions },
    },
  });
  // It was changed or deleted since it was read: the watch brings it back, and a round with it.
  if (status === 409 || status === 404) return;
  if (status >= 300) throw new RoundFault(`the API server answered a status with ${status}`);
  for (const condition of turned) if (isWorthTelling(condition)) await tell(options, verdict, condition);
}

function resourcePath({ kind, namespace, name }: ResourceVerdict): string {
  const place = namespace === null ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `/apis/lazaret.dev/v1alpha1${place}/${PLURALS[kind]}/${encodeURIComponent(name)}`;
}

type Turned = Condition & { readonly before: string | null };

/** A new resource that is well is no news; one that is not, or that turned, is. */
function isWorthTelling({ type, status, before }: Turned): boolean {
  if (type === 'InUse' || status === 'Unknown') return false;
  return before === null || before === 'Unknown' ? isBad(type, status) : true;
}

function isBad(type: Condition['type'], status: Condition['status']): boolean {
  return type === 'Accepted' ? status === 'False' : status === 'True';
}

/** An event (core/v1); those of resources of the cluster stand in namespace `default`, where the API server wants them. */
async function tell(
  options: ResourceStatusOptions,
  { kind, namespace, name, raw }: ResourceVerdict,
  turned: Turned,
): Promise<void> {
  const at = new Date(options.now()).toISOString().replace(/\.\d+/, '');
  const metadata = memberOf(raw, 'metadata');
  const place = namespace ?? 'default';
  await options.api({
    method: 'POST',
    path: `/api/v1/namespaces/${encodeURIComponent(place)}/events`,
    body: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { generateName: `${name.slice(0, 200)}.`, namespace: place },
      involvedObject: {
        apiVersion: 'lazaret.dev/v1alpha1',
        kind,
        name,
        ...(namespace === null ? {} : { namespace }),
        uid: memberOf(metadata, 'uid'),
        resourceVersion: memberOf(metadata, 'resourceVersion'),
      },
      type: isBad(turned.type, turned.status) ? 'Warning' : 'Normal',
      reason: eventReason(turned),
      message: turned.message.slice(0, 1_024),
      source: { component: COMPONENT },
      reportingComponent: COMPONENT,
      reportingInstance: options.instance,
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
    },
  });
}

function eventReason({ type, status }: Turned): string {
  if (type === 'Accepted') return status === 'True' ? 'Accepted' : 'NotAccepted';
  return status === 'True' ? type : `No${type === 'Expiring' ? 'LongerExpiring' : 'LongerExpired'}`;
}
