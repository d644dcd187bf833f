import { LIMIT } from '#contract/limit.ts';
import type { Clock } from './clock.ts';
import { ApiError, isStatus, type KubeApi } from './cluster/api.ts';
import { fieldOf, metaOf, textOf } from './cluster/resource-store.ts';
import type { RawObject } from './ports.ts';

/** Which Lease, and who asks. */
export interface LeaseTerms {
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  /** This replica's pod. */
  readonly holder: string;
  /** Who is collected with the release; null leaves the Lease behind. */
  readonly owner: () => Promise<RawObject | null>;
}

/** One replica at a time does what needs doing once. Nothing rests on it alone: every write is also made on a condition. */
export interface Leader {
  readonly isLeader: () => boolean;
  /** Asks for the lease and renews it until the signal aborts, then gives it back. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

interface Observed {
  readonly version: string;
  /** When this replica first saw this version: other clocks are not compared with ours. */
  readonly at: number;
}

/** Elects by a Lease (coordination.k8s.io/v1), as Kubernetes' own components do. */
export function createLeader(terms: LeaseTerms, api: KubeApi, clock: Clock): Leader {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${terms.namespace}/leases`;
  let observed: Observed | null = null;
  let renewedAt = Number.NEGATIVE_INFINITY;
  const isLeader = (): boolean => clock.now() - renewedAt < LIMIT.leaseGiveUpMs;
  const step = async (): Promise<void> => {
    const askedAt = clock.now();
    const lease = await api.call({ method: 'GET', path: `${path}/${terms.name}` }).catch(nullIfMissing);
    if (lease === null) {
      const body = await newLease(terms, askedAt);
      await api.call({ method: 'POST', path, body });
      renewedAt = askedAt;
      return;
    }
    const spec = fieldOf(lease, 'spec');
    const version = textOf(metaOf(lease), 'resourceVersion');
    if (observed?.version !== version) observed = { version, at: askedAt };
    const holder = textOf(spec, 'holderIdentity');
    const mine = holder === terms.holder;
    if (!mine && holder !== '' && askedAt - observed.at < LIMIT.leaseMs) {
      renewedAt = Number.NEGATIVE_INFINITY;
      return;
    }
    const body = { ...lease, spec: renewed(spec, terms.holder, mine, askedAt) };
    await api.call({ method: 'PUT', path: `${path}/${terms.name}`, body });
    renewedAt = askedAt;
  };
  const release = async (): Promise<void> => {
    if (!isLeader()) return;
    const lease = await api.call({ method: 'GET', path: `${path}/${terms.name}` });
    const spec = fieldOf(lease, 'spec');
    if (textOf(spec, 'holderIdentity') !== terms.holder) return;
    const body = { ...lease, spec: { ...spec, holderIdentity: '' } };
    await api.call({ method: 'PUT', path: `${path}/${terms.name}`, body });
    renewedAt = Number.NEGATIVE_INFINITY;
  };
  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await step().catch((fault: unknown) => {
        // Somebody else wrote first: whoever it was, it was not us.
        if (isStatus(fault, 409)) renewedAt = Number.NEGATIVE_INFINITY;
        else if (!(fault instanceof ApiError)) throw fault;
      });
      await clock.sleep(isLeader() ? LIMIT.leaseRenewMs : LIMIT.leaseRetryMs, signal);
    }
    await release().catch(() => undefined);
  };
  return { isLeader, run };
}

async function newLease(terms: LeaseTerms, now: number): Promise<RawObject> {
  const owner = await terms.owner();
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: terms.name, namespace: terms.namespace, ...(owner === null ? {} : { ownerReferences: [owner] }) },
    spec: renewed({}, terms.holder, false, now),
  };
}

function renewed(spec: RawObject, holder: string, mine: boolean, now: number): RawObject {
  const transitions = typeof spec.leaseTransitions === 'number' ? spec.leaseTransitions : 0;
  return {
    ...spec,
    holderIdentity: holder,
    leaseDurationSeconds: LIMIT.leaseMs / 1_000,
    renewTime: microTime(now),
    ...(mine ? {} : { acquireTime: microTime(now), leaseTransitions: transitions + 1 }),
  };
}

/** Kubernetes' MicroTime has six digits after the point, no more and no less. */
function microTime(now: number): string {
  return new Date(now).toISOString().replace('Z', '000Z');
}

/** @returns null where there is no such object. @throws what else went wrong */
export function nullIfMissing(fault: unknown): null {
  if (isStatus(fault, 404)) return null;
  throw fault;
}
