import type { Alert, Prometheus } from './sre-prometheus.ts';
import { waitFor } from './wait-for.ts';

/** An alert that a cause brings, with the labels by which it is known from others of its name. */
export interface WantedAlert {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Why it comes, for the log. */
  readonly cause: string;
}

/** Waits until every one fires. @returns them in the order of `wanted` */
export async function waitForFiring(
  prometheus: Prometheus,
  wanted: readonly WantedAlert[],
  seconds = 120,
): Promise<readonly Alert[]> {
  let missing: readonly string[] = [];
  try {
    return await waitFor(
      'alerts',
      async () => {
        const firing = (await prometheus.alerts()).filter(({ state }) => state === 'firing');
        const found = wanted.map((one) => firing.find((alert) => isThe(one, alert)));
        missing = wanted.filter((_, at) => found[at] === undefined).map(({ name }) => name);
        const complete = found.filter((alert) => alert !== undefined);
        return complete.length === wanted.length ? complete : null;
      },
      seconds,
    );
  } catch (fault) {
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
