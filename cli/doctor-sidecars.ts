import { LIMIT } from '#contract/limit.ts';
import type { Cluster } from './doctor-cluster.ts';
import { readGauges } from './doctor-metrics.ts';
import { type CheckReport, runCheck, spanOf, type Verdict } from './doctor-verdict.ts';

/** As the chart's alert: records that wait longer for the collector are said. */
const LAG_SECONDS = 300;
/** Guards that are named one by one; beyond that a number. */
const NAMED_GUARDS = 20;

/** How guards are, by their own metrics: strangers under their user, full spools, records that wait, old policy. */
export function checkGuards({ snapshot }: Cluster): readonly Verdict[] {
  return runCheck('guards', (report) => {
    const read = [...snapshot.guards].flatMap(([pod, text]) => (text === null ? [] : [{ pod, text }]));
    const unread = snapshot.guards.size - read.length;
    if (unread > 0)
      report.notice(
        `the metrics of ${unread} guards could not be read`,
        'let your account get pods/proxy, or look at them in Prometheus',
      );
    const faults = read.flatMap(({ pod, text }) => faultsOf(pod, text));
    for (const { level, text, remedy } of faults.slice(0, NAMED_GUARDS)) report[level](text, remedy);
    if (faults.length > NAMED_GUARDS)
      report.broken(
        `there are ${faults.length - NAMED_GUARDS} further faults of guards`,
        'mend the ones above and run lazaret doctor again',
      );
    if (faults.length === 0 && unread === 0) report.ok(`${read.length} guards were asked, and all are well`);
  });
}

interface GuardFault {
  readonly level: keyof Pick<CheckReport, 'notice' | 'broken'>;
  readonly text: string;
  readonly remedy: string;
}

function faultsOf(pod: string, metrics: string): readonly GuardFault[] {
  const valueOf = (name: string): number => Math.max(0, ...readGauges(metrics, name).map(({ value }) => value));
  const spool = valueOf('lazaret_spool_bytes') / (valueOf('lazaret_spool_limit_bytes') || LIMIT.spoolBytes);
  const lag = valueOf('lazaret_audit_lag_seconds');
  const age = valueOf('lazaret_policy_age_seconds') * 1_000;
  const runbook = (alert: string): string => `see docs/runbooks.md, ${alert}`;
  const faults: (GuardFault | null)[] = [
    valueOf('lazaret_foreign_sockets') === 0
      ? null
      : {
          level: 'broken',
          text: `a program runs under the user of the guard in the pod ${pod}: all its traffic is refused`,
          remedy: runbook('LazaretForeignSockets'),
        },
    spool < LIMIT.spoolWarn
      ? null
      : {
          level: spool < LIMIT.spoolRefuse ? 'notice' : 'broken',
          text: `the spool of the pod ${pod} is ${Math.floor(spool * 100)} % full: ${spool < LIMIT.spoolRefuse ? `from ${LIMIT.spoolRefuse * 100} % its exchanges are refused` : 'its exchanges are refused'}`,
          remedy: runbook('LazaretSpoolHigh'),
        },
    lag <= LAG_SECONDS
      ? null
      : {
          level: 'notice',
          text: `records of the pod ${pod} wait for the collector for ${spanOf(lag * 1_000)}`,
          remedy: runbook('LazaretAuditLag'),
        },
    age < LIMIT.policyWarnMs
      ? null
      : {
          level: age < LIMIT.policyStaleMs ? 'notice' : 'broken',
          text: `the policy in the pod ${pod} is ${spanOf(age)} old: ${age < LIMIT.policyStaleMs ? 'at 24 hours it refuses everything' : 'everything is refused'}`,
          remedy: runbook('LazaretPolicyStale'),
        },
  ];
  return faults.filter((fault) => fault !== null);
}
