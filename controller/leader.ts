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
  const lease = new HeldLease(terms, api, clock);
  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await lease.ask();
      await clock.sleep(lease.isHeld() ? LIMIT.leaseRenewMs : LIMIT.leaseRetryMs, signal);
    }
    await lease.release().catch(() => undefined);
  };
  return { isLeader: () => lease.isHeld(), run };
}

/** A Lease that this replica holds or asks for. */
class HeldLease {
  readonly #terms: LeaseTerms;
  readonly #api: KubeApi;
  readonly #clock: Clock;
  readonly #all: string;
  readonly #path: string;
  #observed: Observed | null = null;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(terms: LeaseTerms, api: KubeApi, clock: Clock) {
    this.#terms = terms;
    this.#api = api;
    this.#clock = clock;
    this.#all = `/apis/coordination.k8s.io/v1/namespaces/${terms.namespace}/leases`;
    this.#path = `${this.#all}/${terms.name}`;
  }

  isHeld(): boolean {
    return this.#clock.now() - this.#renewedAt < LIMIT.leaseGiveUpMs;
  }

  /** One round: takes the lease when it is free, renews it when it is ours. An API server that does not answer is asked again. */
  async ask(): Promise<void> {
    const askedAt = this.#clock.now();
    try {
      if (await this.#tryTake(askedAt)) this.#renewedAt = askedAt;
      else this.#renewedAt = Number.NEGATIVE_INFINITY;
    } catch (fault) {
      // Somebody else wrote first: whoever it was, it was not us.
      if (isStatus(fault, 409)) this.#renewedAt = Number.NEGATIVE_INFINITY;
      else if (!(fault instanceof ApiError)) throw fault;
    }
  }

  async release(): Promise<void> {
    if (!this.isHeld()) return;
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    const lease = await this.#api.call({ method: 'GET', path: this.#path });
    const spec = fieldOf(lease, 'spec');
    if (textOf(spec, 'holderIdentity') !== this.#terms.holder) return;
    await this.#api.call({
      method: 'PUT',
      path: this.#path,
      body: { ...lease, spec: { ...spec, holderIdentity: '' } },
    });
  }

  async #tryTake(now: number): Promise<boolean> {
    const lease = await this.#api.call({ method: 'GET', path: this.#path }).catch(nullIfMissing);
    if (lease === null) {
      await this.#api.call({ method: 'POST', path: this.#all, body: await newLease(this.#terms, now) });
      return true;
    }
    const spec = fieldOf(lease, 'spec');
    const version = textOf(metaOf(lease), 'resourceVersion');
    if (this.#observed?.version !== version) this.#observed = { version, at: now };
    const holder = textOf(spec, 'holderIdentity');
    const mine = holder === this.#terms.holder;
    if (!mine && holder !== '' && now - this.#observed.at < LIMIT.leaseMs) return false;
    const body = { ...lease, spec: renewed(spec, this.#terms.holder, mine, now) };
    await this.#api.call({ method: 'PUT', path: this.#path, body });
    return true;
  }
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
