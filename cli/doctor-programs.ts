import type { Cluster, WorkloadObject } from './doctor-cluster.ts';
import { readGauges } from './doctor-metrics.ts';
import { runCheck, spanOf, type CheckReport, type Verdict } from './doctor-verdict.ts';

/** As the chart's alerts: of the evidence volume this much must be free, and the list of chains is not older than this. */
const VOLUME_FREE = 0.15;
const LIST_MS = 600_000;

/** Whether the controller runs, and has read the cluster. */
export function checkController(cluster: Cluster): readonly Verdict[] {
  const { metrics } = cluster.snapshot;
  const look = logsOf(cluster, 'controller');
  return runCheck('controller', (report) => {
    if (cluster.controller === null) return;
    readiness(report, cluster.controller, { what: 'controller', look, effect: 'no PHI-bearing pod can be created' });
    if (cluster.controller.spec.replicas === 1)
      report.notice(
        'one controller replica is wanted',
        'set controller.replicas=2, so that the loss of a node stops nothing',
      );
    if (
      metrics.controller !== null &&
      readGauges(metrics.controller, 'lazaret_synced').some(({ value }) => value === 0)
    )
      report.broken('a controller has not read the cluster', `see why: ${look}`);
    if ((largest(metrics.controller, 'lazaret_lists_fault') ?? 0) > 0)
      report.broken(
        'the lists of the release cannot be used: guarded pods refuse everything',
        `see why: ${look}, and mend the Secrets of lists.secrets: docs/lists.md`,
      );
    // The leader alone keeps the list; the others tell none.
    const chains = largest(metrics.controller, 'lazaret_expected_chains');
    const most = largest(metrics.controller, 'lazaret_expected_chains_limit');
    if (chains !== null && most !== null && chains >= most)
      report.broken(
        'the list of chains that must exist is full: new pods are not added',
        'see docs/runbooks.md, LazaretRegisterFull',
      );
  });
}

/** Whether the collector runs, and what it found. */
export function checkCollector(cluster: Cluster): readonly Verdict[] {
  const { name, metrics } = cluster.snapshot;
  const look = logsOf(cluster, 'collector');
  return runCheck('collector', (report) => {
    if (cluster.collector === null)
      return report.broken(
        `there is no StatefulSet ${name}-collector`,
        'run helm upgrade: evidence stays in the pods until it is there',
      );
    const effect = 'records stay in the pods until their spools are full';
    readiness(report, cluster.collector, { what: 'collector', look, effect });
    if (cluster.collector.status.readyReplicas > 0 && metrics.collector === null)
      report.notice(
        'the metrics of the collector could not be read',
        'let your account get pods/proxy, or look at them in Prometheus',
      );
    const findings = readGauges(metrics.collector ?? '', 'lazaret_collector_findings_total');
    if (findings.some(({ value }) => value > 0))
      report.broken(
        'chains of evidence do not go on where they ended',
        'run lazaret audit verify on a copy of the store: it names them',
      );
    judgeVolume(report, metrics.collector);
    const age = largest(metrics.collector, 'lazaret_collector_expected_age_seconds');
    if (age !== null && age * 1_000 > LIST_MS)
      report.broken(
        `the list of chains that must exist was not renewed for ${spanOf(age * 1_000)}: a pod that vanishes with its evidence is not missed`,
        'see the log of the controller that leads: it renews the list each minute',
      );
  });
}

function judgeVolume(report: CheckReport, metrics: string | null): void {
  const free = largest(metrics, 'lazaret_collector_volume_free_bytes');
  const size = largest(metrics, 'lazaret_collector_volume_size_bytes');
  if (free === null || size === null || free >= VOLUME_FREE * size) return;
  report.broken(
    `the evidence volume has ${Math.floor((100 * free) / size)} % left: when it is full, spools fill and pods refuse`,
    'enlarge the volume claim, or archive ended chains: docs/runbooks.md, LazaretEvidenceVolumeLow',
  );
}

/** The largest value of a metric over all that were read; null where it is not among them. */
function largest(metrics: string | null, name: string): number | null {
  const values = readGauges(metrics ?? '', name).map(({ value }) => value);
  return values.length === 0 ? null : Math.max(...values);
}

function logsOf({ snapshot }: Cluster, component: string): string {
  return `kubectl -n ${snapshot.namespace} logs -l app.kubernetes.io/component=${component}`;
}

function readiness(
  report: CheckReport,
  { metadata, spec, status }: WorkloadObject,
  { what, look, effect }: { readonly what: 'controller' | 'collector'; readonly look: string; readonly effect: string },
): void {
  const image = spec.template.spec.containers[0]?.image ?? 'an unknown image';
  const state = `${status.readyReplicas} of ${spec.replicas} ${what} pods are ready (${image})`;
  const kind = what === 'controller' ? 'deployment' : 'statefulset';
  if (spec.replicas === 0)
    report.broken(
      `the ${what} is scaled to 0: ${effect}`,
      `kubectl -n ${metadata.namespace} scale ${kind} ${metadata.name} --replicas=${what === 'controller' ? 2 : 1}`,
    );
  else if (status.readyReplicas === 0) report.broken(`${state}: ${effect}`, `see why: ${look}`);
  else if (status.readyReplicas < spec.replicas) report.notice(state, `see why: ${look}`);
  else report.ok(state);
}
