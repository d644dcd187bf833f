import { ENDING } from './sre-causes.ts';
import type { Alert, Prometheus } from './sre-prometheus.ts';
import { waitFor } from './wait-for.ts';

/** An alert that a cause brings, with the labels by which it is known from others of its name. */
export interface WantedAlert {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Why it comes, for the log. */
  readonly cause: string;
}

export const REGISTER_FULL: WantedAlert = {
  name: 'LazaretRegisterFull',
  cause: 'the volume came with a list of a former release that is full',
};

/** Alerts of what wears out or is left open. @param open a namespace that was labelled after its pod was made */
export function wornOut(open: string): readonly WantedAlert[] {
  return [
    {
      name: 'LazaretUnguardedPhiPods',
      labels: { namespace: open },
      cause: 'a namespace was labelled after its pod was made',
    },
    {
      name: 'LazaretForeignSockets',
      labels: { pod: 'quiet' },
      cause: 'a program in the pod listens under the uid of the guard',
    },
    {
      name: 'LazaretRefusalSurge',
      labels: { reason: 'agreement_expired' },
      cause: 'an application asks on after the end of its agreement',
    },
    { name: 'LazaretEvidenceVolumeLow', cause: 'a file takes nine tenths of the evidence volume' },
    REGISTER_FULL,
    { name: 'LazaretEvaluation', cause: 'helm upgrade with evaluation=true' },
    {
      name: 'LazaretAgreementExpiring30Days',
      labels: { agreement: ENDING.month },
      cause: 'a contract that ends in 20 days',
    },
    {
      name: 'LazaretAgreementExpiring7Days',
      labels: { agreement: ENDING.week },
      cause: 'a contract that ends in 3 days',
    },
    { name: 'LazaretAgreementExpired', labels: { agreement: ENDING.now }, cause: 'a contract that ended a moment ago' },
  ];
}

export const LISTS: WantedAlert = {
  name: 'LazaretListsUnusable',
  cause: 'a Secret of lists holds what is no table',
};

/** Alerts of a collector that is away. */
export const AWAY: readonly WantedAlert[] = [
  { name: 'LazaretCollectorDown', cause: 'the collector has no pod' },
  { name: 'LazaretAuditLag', labels: { pod: 'client' }, cause: 'records wait for the collector' },
  { name: 'LazaretSpoolHigh', labels: { pod: 'client' }, cause: 'exchanges of megabytes while the collector is away' },
];

/** Alerts of a controller that is away for longer. */
export const LATE: readonly WantedAlert[] = [
  { name: 'LazaretGuardDown', cause: 'the controller has no pod' },
  {
    name: 'LazaretPolicyStale',
    labels: { pod: 'client' },
    cause: 'an agreement was deleted, and no controller tells the pod',
  },
  { name: 'LazaretRegisterStale', cause: 'no controller renews the list of chains' },
  {
    name: 'LazaretCertificateExpiring',
    labels: { certificate: 'collector' },
    cause: 'the collector’s certificate ends within a day, and no controller renews it',
  },
];

export const CONFLICT: WantedAlert = {
  name: 'LazaretEvidenceConflict',
  labels: { finding: 'gap' },
  cause: 'a segment of records was removed from the disk of the pod',
};

/** Waits until every one fires. @returns them in the order of `wanted` */
export async function waitForFiring(
  prometheus: Prometheus,
  wanted: readonly WantedAlert[],
  seconds = 120,
): Promise<readonly Alert[]> {
  // One that fires and is over before the last one comes has fired.
  const seen = new Map<WantedAlert, Alert>();
  try {
    return await waitFor(
      'alerts',
      async () => {
        const firing = (await prometheus.alerts()).filter(({ state }) => state === 'firing');
        for (const one of wanted) {
          const found = firing.find((alert) => isThe(one, alert));
          if (found !== undefined && !seen.has(one)) seen.set(one, found);
        }
        const complete = wanted.map((one) => seen.get(one)).filter((alert) => alert !== undefined);
        return complete.length === wanted.length ? complete : null;
      },
      seconds,
    );
  } catch (fault) {
    const missing = wanted.filter((one) => !seen.has(one)).map(({ name }) => name);
    throw new Error(`these do not fire: ${missing.join(', ')}`, { cause: fault });
  }
}

/** Waits until none of them is there. */
export async function waitForClear(prometheus: Prometheus, gone: readonly WantedAlert[], seconds = 120): Promise<void> {
  let left: readonly string[] = [];
  try {
    await waitFor(
      'alerts to clear',
      async () => {
        const alerts = await prometheus.alerts();
        left = gone.filter((one) => alerts.some((alert) => isThe(one, alert))).map(({ name }) => name);
        return left.length === 0 ? true : null;
      },
      seconds,
    );
  } catch (fault) {
    throw new Error(`these do not clear: ${left.join(', ')}`, { cause: fault });
  }
}

function isThe({ name, labels = {} }: WantedAlert, alert: Alert): boolean {
  return (
    alert.labels['alertname'] === name && Object.entries(labels).every(([key, value]) => alert.labels[key] === value)
  );
}
