/** How one alert is tried: series that stand below its threshold for an hour, then at it, then below it again. */
export interface AlertCase {
  readonly alert: string;
  /** What the case shows, where an alert has several. */
  readonly what: string;
  /** Series with the value below the threshold, and at it; null is no series. */
  readonly series: readonly AlertSeries[];
  /** Labels of the alert, without its severity. */
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
  /** How long the condition must hold, in minutes. */
  readonly holds: number;
}

/** A series of a case; a counter grows by the value each minute. */
export interface AlertSeries {
  readonly name: string;
  readonly below: number | null;
  readonly at: number | null;
  readonly counter?: true;
}

const DAY = 86_400;
const POD = '{namespace="clinic",pod="notes-0"}';
const ON_POD = { namespace: 'clinic', pod: 'notes-0' };

export const ALERT_CASES: readonly AlertCase[] = [
  {
    alert: 'LazaretGuardDown',
    what: 'when no replica is ready',
    series: [
      { name: 'lazaret_synced{pod="a"}', below: 1, at: 0 },
      { name: 'lazaret_synced{pod="b"}', below: 0, at: 0 },
    ],
    labels: {},
    summary: 'No controller is ready',
    holds: 2,
  },
  {
    alert: 'LazaretGuardDown',
    what: 'when no replica is there',
    series: [{ name: 'lazaret_synced{pod="a"}', below: 1, at: null }],
    labels: {},
    summary: 'No controller is ready',
    holds: 2,
  },
  {
    alert: 'LazaretUnguardedPhiPods',
    what: 'for the namespace, once for all replicas',
    series: [
      { name: 'lazaret_unguarded_phi_pods{namespace="clinic",pod="a"}', below: 0, at: 3 },
      { name: 'lazaret_unguarded_phi_pods{namespace="clinic",pod="b"}', below: 0, at: 3 },
      { name: 'lazaret_unguarded_phi_pods{namespace="lab",pod="a"}', below: 0, at: 0 },
    ],
    labels: { namespace: 'clinic' },
    summary: '3 PHI-bearing pods without a guard in clinic',
    holds: 5,
  },
  {
    alert: 'LazaretForeignSockets',
    what: 'for the pod',
    series: [{ name: `lazaret_foreign_sockets${POD}`, below: 0, at: 1 }],
    labels: ON_POD,
    summary: "A program runs under the sidecar's user in clinic/notes-0",
    holds: 0,
  },
  {
    alert: 'LazaretRefusalSurge',
    what: 'for the sum over the pods of a namespace',
    series: [
      {
        name: 'lazaret_refusals_total{namespace="clinic",pod="a",reason="media_not_allowed"}',
        below: 15,
        at: 30,
        counter: true,
      },
      {
        name: 'lazaret_refusals_total{namespace="clinic",pod="b",reason="media_not_allowed"}',
        below: 15,
        at: 15,
        counter: true,
      },
      { name: 'lazaret_refusals_total{namespace="clinic",pod="a",reason="busy"}', below: 20, at: 20, counter: true },
    ],
    labels: { namespace: 'clinic', reason: 'media_not_allowed' },
    summary: '45 refusals a minute in clinic (media_not_allowed)',
    holds: 5,
  },
  {
    alert: 'LazaretPolicyStale',
    what: 'beyond 12 hours',
    series: [{ name: `lazaret_policy_age_seconds${POD}`, below: 12 * 3_600, at: 12 * 3_600 + 60 }],
    labels: ON_POD,
    summary: 'The policy in clinic/notes-0 is 12h 1m 0s old',
    holds: 5,
  },
  {
    alert: 'LazaretListsUnusable',
    what: 'once for all replicas',
    series: [
      { name: 'lazaret_lists_fault{pod="a"}', below: 0, at: 1 },
      { name: 'lazaret_lists_fault{pod="b"}', below: 0, at: 1 },
    ],
    labels: {},
    summary: 'The lists of the release cannot be used',
    holds: 0,
  },
  {
    alert: 'LazaretSpoolHigh',
    what: 'at the share of the spool',
    series: [
      { name: `lazaret_spool_bytes${POD}`, below: 699, at: 700 },
      { name: `lazaret_spool_limit_bytes${POD}`, below: 1_000, at: 1_000 },
    ],
    labels: ON_POD,
    summary: 'The spool of clinic/notes-0 is 70% full',
    holds: 2,
  },
  {
    alert: 'LazaretAuditLag',
    what: 'beyond the age of the oldest record',
    series: [{ name: `lazaret_audit_lag_seconds${POD}`, below: 300, at: 301 }],
    labels: ON_POD,
    summary: 'Records of clinic/notes-0 wait for 5m 1s',
    holds: 2,
  },
  {
    alert: 'LazaretCollectorDown',
    what: 'when no collector is scraped',
    series: [
      { name: 'lazaret_build_info{program="lazaret-collector"}', below: 1, at: null },
      { name: 'lazaret_build_info{program="lazaret-sidecar"}', below: 1, at: 1 },
    ],
    labels: { program: 'lazaret-collector' },
    summary: 'The collector does not answer',
    holds: 5,
  },
  {
    alert: 'LazaretEvidenceConflict',
    what: 'at the first finding',
    series: [{ name: 'lazaret_collector_findings_total{finding="fork"}', below: 0, at: 1, counter: true }],
    labels: { finding: 'fork' },
    summary: 'A chain of evidence does not go on where it ended (fork)',
    holds: 0,
  },
  {
    alert: 'LazaretEvidenceVolumeLow',
    what: 'below the share that is left',
    series: [
      { name: 'lazaret_collector_volume_free_bytes', below: 150, at: 140 },
      { name: 'lazaret_collector_volume_size_bytes', below: 1_000, at: 1_000 },
    ],
    labels: {},
    summary: 'The evidence volume has 14% left',
    holds: 5,
  },
  {
    alert: 'LazaretRegisterStale',
    what: 'when the leader does not renew the list',
    series: [{ name: 'lazaret_collector_expected_age_seconds', below: 600, at: 660 }],
    labels: {},
    summary: 'The list of chains that must exist is 11m 0s old',
    holds: 5,
  },
  {
    alert: 'LazaretRegisterFull',
    what: 'at the first chain that found no place',
    series: [{ name: 'lazaret_expected_chains_refused_total', below: 0, at: 1, counter: true }],
    labels: {},
    summary: 'The list of chains that must exist is full',
    holds: 0,
  },
  {
    alert: 'LazaretEvaluation',
    what: 'once for all replicas, when it is more than a try',
    series: [
      { name: 'lazaret_evaluation{pod="a"}', below: 0, at: 1 },
      { name: 'lazaret_evaluation{pod="b"}', below: 0, at: 1 },
    ],
    labels: {},
    summary: 'Records are sealed to a key that lies in the cluster',
    holds: 30,
  },
  {
    alert: 'LazaretAgreementExpiring30Days',
    what: 'at 30 days, once for all programs that tell it',
    series: [
      { name: 'lazaret_agreement_expiry_seconds{agreement="acme",pod="a"}', below: 30 * DAY + 1, at: 30 * DAY },
      { name: 'lazaret_agreement_expiry_seconds{agreement="acme",pod="b"}', below: 30 * DAY + 1, at: 30 * DAY },
    ],
    labels: { agreement: 'acme' },
    summary: 'The agreement acme ends in 30d 0h 0m 0s',
    holds: 0,
  },
  {
    alert: 'LazaretAgreementExpiring30Days',
    what: 'no more at 7 days, where the next one begins',
    series: [{ name: 'lazaret_agreement_expiry_seconds{agreement="acme"}', below: 7 * DAY, at: 7 * DAY + 1 }],
    labels: { agreement: 'acme' },
    summary: 'The agreement acme ends in 7d 0h 0m 1s',
    holds: 0,
  },
  {
    alert: 'LazaretAgreementExpiring7Days',
    what: 'at 7 days',
    series: [{ name: 'lazaret_agreement_expiry_seconds{agreement="acme"}', below: 7 * DAY + 1, at: 7 * DAY }],
    labels: { agreement: 'acme' },
    summary: 'The agreement acme ends in 7d 0h 0m 0s',
    holds: 0,
  },
  {
    alert: 'LazaretAgreementExpiring7Days',
    what: 'no more at its end, where the last one begins',
    series: [{ name: 'lazaret_agreement_expiry_seconds{agreement="acme"}', below: 0, at: 1 }],
    labels: { agreement: 'acme' },
    summary: 'The agreement acme ends in 1s',
    holds: 0,
  },
  {
    alert: 'LazaretAgreementExpired',
    what: 'at its end',
    series: [{ name: 'lazaret_agreement_expiry_seconds{agreement="acme"}', below: 1, at: 0 }],
    labels: { agreement: 'acme' },
    summary: 'The agreement acme has ended',
    holds: 0,
  },
  {
    alert: 'LazaretCertificateExpiring',
    what: 'for a serving certificate, by the replica that is worst',
    series: [
      { name: 'lazaret_certificate_expiry_seconds{certificate="serving",pod="a"}', below: 2 * DAY, at: 2 * DAY - 60 },
      { name: 'lazaret_certificate_expiry_seconds{certificate="serving",pod="b"}', below: 6 * DAY, at: 6 * DAY },
      { name: 'lazaret_certificate_expiry_seconds{certificate="authority"}', below: 30 * DAY, at: 30 * DAY },
    ],
    labels: { certificate: 'serving' },
    summary: 'The certificate "serving" of the release ends in 1d 23h 59m 0s',
    holds: 5,
  },
  {
    alert: 'LazaretCertificateExpiring',
    what: 'for the authority, earlier',
    series: [
      { name: 'lazaret_certificate_expiry_seconds{certificate="authority"}', below: 30 * DAY, at: 30 * DAY - 60 },
    ],
    labels: { certificate: 'authority' },
    summary: 'The certificate "authority" of the release ends in 29d 23h 59m 0s',
    holds: 5,
  },
];
