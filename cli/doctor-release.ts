import type { Cluster, WebhookObject } from './doctor-cluster.ts';
import { wantedImage } from './doctor-document.ts';
import { readGauges } from './doctor-metrics.ts';
import { runCheck, spanOf, type CheckReport, type Verdict } from './doctor-verdict.ts';

/** What a certificate was made of: when it ends, ms since 1970, or null for text that is none. */
export type CertificateEnd = (pem: string) => number | null;

const DAY = 86_400_000;

/** Whether the release is there at all: without it the other checks would say the same thing many times. */
export function checkRelease(cluster: Cluster): readonly Verdict[] {
  const { name, namespace, version, listings } = cluster.snapshot;
  return runCheck('release', (report) => {
    if (cluster.controller === null)
      report.broken(
        `there is no Deployment ${name}-controller in the namespace ${namespace}`,
        listings.deployments.kind === 'forbidden'
          ? `let your account list deployments in ${namespace}`
          : 'name the release with --namespace and --name, or install the chart: helm install lazaret charts/lazaret -n lazaret --create-namespace',
      );
    if (listings.agreements.kind === 'absent')
      report.broken(
        'the API server does not know the resource provideragreements.lazaret.dev',
        'install the resources: helm upgrade with crds.install=true',
      );
    if (isOlder(version, MIN_MINOR))
      report.broken(
        `the API server is ${version}`,
        `Kubernetes 1.${MIN_MINOR} or later is needed: upgrade the control plane`,
      );
    else report.ok(`Kubernetes ${version}, release ${name} in the namespace ${namespace}`);
  });
}

/** The oldest Kubernetes: sidecars that start before the application and ValidatingAdmissionPolicy. */
export const MIN_MINOR = 30;

/** Whether a version such as `v1.29.4-eks-1` is older than 1.MINOR; one that cannot be read is. */
export function isOlder(version: string, minor: number): boolean {
  const found = /^v?1\.(\d+)/.exec(version)?.[1];
  return found === undefined || Number(found) < minor;
}

/** Whether the API server asks the controller, trusts it, and denies when it does not answer. */
export function checkWebhooks(cluster: Cluster, now: number, endOf: CertificateEnd): readonly Verdict[] {
  return runCheck('webhooks', (report) => {
    const { name, listings } = cluster.snapshot;
    if (listings.mutatingWebhooks.kind === 'forbidden' || listings.validatingWebhooks.kind === 'forbidden')
      return report.notice('the webhooks could not be read', 'let your account list webhook configurations');
    for (const [kind, object] of [
      ['MutatingWebhookConfiguration', cluster.mutating],
      ['ValidatingWebhookConfiguration', cluster.validating],
    ] as const) {
      if (object === null)
        report.broken(`there is no ${kind} ${name}`, 'run helm upgrade: no new pod gets a guard until it is there');
      else checkHooks(report, kind, object, { now, endOf, policies: cluster.policies.length > 0 });
    }
  });
}

interface HookTerms {
  readonly now: number;
  readonly endOf: CertificateEnd;
  /** Whether policies stand behind the webhook. */
  readonly policies: boolean;
}

function checkHooks(report: CheckReport, kind: string, { webhooks }: WebhookObject, terms: HookTerms): void {
  const { now, endOf, policies } = terms;
  if (webhooks.length === 0) return report.broken(`the ${kind} holds no webhook`, 'run helm upgrade');
  // The review of templates only warns.
  const deciding = webhooks.filter(({ clientConfig }) => clientConfig.service.path !== '/templates');
  const names = (found: WebhookObject['webhooks']): string => `${kind} ${found.map(({ name }) => name).join(', ')}`;
  const end = ({ clientConfig }: WebhookObject['webhooks'][number]): number | null =>
    endOf(Buffer.from(clientConfig.caBundle, 'base64').toString('latin1'));
  const open = deciding.filter(({ failurePolicy }) => failurePolicy !== 'Fail');
  const unknown = deciding.filter((webhook) => end(webhook) === null);
  const ended = deciding.filter((webhook) => (end(webhook) ?? Infinity) <= now);
  if (open.length > 0)
    report[policies ? 'notice' : 'broken'](
      `${names(open)}: pods pass when no controller answers (failurePolicy)`,
      'set webhook.failurePolicy=Fail and run helm upgrade',
    );
  if (unknown.length > 0)
    report.broken(
      `${names(unknown)}: no caBundle, so the API server trusts no controller`,
      'see the log of the controller that leads: it writes the caBundle',
    );
  if (ended.length > 0)
    report.broken(`${names(ended)}: the caBundle has ended`, 'restart the controller: its leader writes a new one');
  if (open.length + unknown.length + ended.length === 0)
    report.ok(`${kind}: ${deciding.length} webhooks deny when no controller answers`);
}

/** Whether the API server itself keeps the promise when no webhook is asked. */
export function checkPolicies(cluster: Cluster): readonly Verdict[] {
  const { snapshot, policies, bindings } = cluster;
  return runCheck('policies', (report) => {
    if (snapshot.listings.admissionPolicies.kind === 'forbidden')
      return report.notice('the ValidatingAdmissionPolicies could not be read', 'let your account list them');
    if (policies.length === 0)
      return report.broken(
        'there is no ValidatingAdmissionPolicy of the release',
        'set policies.enabled=true and run helm upgrade: without them a missing webhook is a missing guard',
      );
    const faults = policies.flatMap(({ metadata: { name }, spec }) => [
      ...(spec.failurePolicy === 'Fail'
        ? []
        : [`the ValidatingAdmissionPolicy ${name} has failurePolicy ${spec.failurePolicy || 'unset'}`]),
      ...(bindings.some((each) => each.spec.policyName === name && each.spec.validationActions.includes('Deny'))
        ? []
        : [`the ValidatingAdmissionPolicy ${name} has no binding that denies`]),
    ]);
    for (const fault of faults) report.broken(fault, 'run helm upgrade: it was changed or removed by somebody else');
    if (faults.length === 0) report.ok(`${policies.length} ValidatingAdmissionPolicies deny`);
    judgeParameters(report, cluster);
  });
}

/** Whether the policies know how pods are guarded now: they deny every guarded pod that is not so. */
function judgeParameters(report: CheckReport, { snapshot, parameters, document }: Cluster): void {
  const name = `the PolicyParameters ${snapshot.name}-exemptions`;
  const look = `see the log of the controller that leads, which writes them: kubectl -n ${snapshot.namespace} logs -l app.kubernetes.io/component=controller`;
  if (snapshot.listings.policyParameters.kind === 'forbidden')
    return report.notice(
      `${name} could not be read`,
      'let your account list policyparameters.lazaret.dev in the release’s namespace',
    );
  if (parameters === null) return report.broken(`${name} are missing: every PHI-bearing pod is denied`, look);
  for (const program of ['sidecar', 'init'] as const) {
    const wanted = wantedImage(document, program);
    const known = parameters[`_${program}-image.current`];
    if (wanted !== null && known !== wanted)
      report.broken(`${name} are stale: they know ${known ?? 'no image'} as the ${program}, not ${wanted}`, look);
  }
}

/** When the certificates in use end, by the controller's own word. */
export function checkCertificates(cluster: Cluster): readonly Verdict[] {
  const { controller, collector } = cluster.snapshot.metrics;
  return runCheck('certificates', (report) => {
    if (controller === null)
      report.notice(
        'the metrics of the controller could not be read, so ends of its certificates are not known',
        'let your account get pods/proxy, or look at them in Prometheus',
      );
    const ends = new Map<string, number>();
    for (const { labels, value } of [controller ?? '', collector ?? ''].flatMap((text) =>
      readGauges(text, 'lazaret_certificate_expiry_seconds'),
    )) {
      const certificate = labels['certificate'] ?? '';
      ends.set(certificate, Math.min(value * 1_000, ends.get(certificate) ?? Infinity));
    }
    for (const [certificate, left] of ends) {
      if (left <= 0)
        report.broken(`the certificate "${certificate}" has ended`, 'see docs/runbooks.md, LazaretCertificateExpiring');
      else if (left < 2 * DAY)
        report.broken(
          `the certificate "${certificate}" ends in ${spanOf(left)} and was not renewed`,
          'see docs/runbooks.md, LazaretCertificateExpiring',
        );
      else report.ok(`the certificate "${certificate}" ends in ${spanOf(left)}`);
    }
    if (controller !== null && ends.size === 0)
      report.notice('the controller names no certificate', 'wait until it is ready');
  });
}

/** Whether the keys of the release are there. Only names are read. */
export function checkKeys(cluster: Cluster): readonly Verdict[] {
  const { secrets, snapshot } = cluster;
  const { name, namespace, listings } = snapshot;
  return runCheck('keys', (report) => {
    if (listings.secrets.kind === 'forbidden')
      return report.notice(
        'the names of Secrets could not be read',
        `let your account list secrets in ${namespace}, or check that ${name}-keys exists`,
      );
    if (secrets.includes(`${name}-keys`)) report.ok(`the Secret ${name}-keys is there`);
    else
      report.broken(
        `the Secret ${name}-keys is missing: pods get no policy and no identity`,
        'see the log of the controller that leads: it makes the Secret; after a loss restore it from your backup',
      );
    if (
      secrets.includes(`${name}-evaluation-audit-key`) &&
      /^evaluation: true\b/m.test(cluster.document ?? 'evaluation: true')
    )
      report.notice(
        `records are sealed to a key in this cluster (evaluation): who reads Secrets in ${namespace} reads prompts`,
        'before patients’ data: lazaret keys init --out keys, then helm upgrade --set evaluation=false --set-file audit.recipients=keys/recipients.public.jwks',
      );
  });
}
