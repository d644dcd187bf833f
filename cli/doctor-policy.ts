import { z } from 'zod';
import { RESOURCES } from '#contract/policy-schema.ts';
import { type Cluster, objectsOf } from './doctor-cluster.ts';
import { type CheckReport, runCheck, spanOf, type Verdict } from './doctor-verdict.ts';

const DAY = 86_400_000;
const namedSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  status: z
    .looseObject({
      conditions: z
        .array(z.looseObject({ type: z.string(), status: z.string(), message: z.string().catch('') }))
        .catch([]),
    })
    .catch({ conditions: [] }),
});

/** Which agreements are in force, and for how long. */
export function checkAgreements(cluster: Cluster, now: number): readonly Verdict[] {
  const { snapshot } = cluster;
  return runCheck('agreements', (report) => {
    if (snapshot.listings.agreements.kind === 'forbidden')
      return report.notice('the agreements could not be read', 'let your account list provideragreements.lazaret.dev');
    const objects = objectsOf(snapshot, 'agreements');
    if (objects.length === 0)
      return report.broken(
        'there is no agreement: every exchange with a provider is refused',
        'apply a ProviderAgreement for each provider with whom you have signed one: docs/policy.md',
      );
    for (const object of objects) judgeAgreement(report, object, now);
  });
}

function judgeAgreement(report: CheckReport, object: unknown, now: number): void {
  const named = namedSchema.safeParse(object).data;
  const name = named?.metadata.name ?? 'without a name';
  const read = RESOURCES.ProviderAgreement.safeParse(object);
  const isRejected = named?.status.conditions.some(({ type, status }) => type === 'Accepted' && status === 'False');
  if (!read.success || isRejected === true)
    return report.broken(
      `the agreement ${name} is not accepted, so it covers nothing`,
      `kubectl describe provideragreement ${name}: the condition Accepted says what to change`,
    );
  const { contract, kind } = read.data.spec;
  if (contract?.status !== 'signed' && kind !== 'self-hosted')
    return report.notice(
      `the agreement ${name} is not signed, so it covers nothing`,
      'when it is signed, write contract.status, ref and dates into the ProviderAgreement',
    );
  const end = contract?.expiresOn ?? null;
  const start = contract?.effectiveOn ?? null;
  const renew = 'renew it with the provider, then write the new end into the ProviderAgreement';
  if (end !== null && end <= now) report.broken(`the agreement ${name} has ended: what it covered is refused`, renew);
  else if (start !== null && start > now)
    report.notice(`the agreement ${name} begins in ${spanOf(start - now)}`, 'wait, or correct contract.effectiveOn');
  else if (end !== null && end - now <= 30 * DAY)
    report.notice(`the agreement ${name} ends in ${spanOf(end - now)}`, renew);
  else report.ok(`the agreement ${name} is in force${end === null ? '' : ` for ${spanOf(end - now)}`}`);
}

/** What is widened at this moment, by whom and until when. */
export function checkExemptions(cluster: Cluster, now: number): readonly Verdict[] {
  const { snapshot } = cluster;
  return runCheck('exemptions', (report) => {
    if (snapshot.listings.exemptions.kind === 'forbidden')
      return report.notice('the exemptions could not be read', 'let your account list guardexemptions.lazaret.dev');
    let inForce = 0;
    for (const object of objectsOf(snapshot, 'exemptions')) {
      const named = namedSchema.safeParse(object);
      const read = RESOURCES.GuardExemption.safeParse(object);
      if (!read.success) {
        const name = named.success ? named.data.metadata.name : 'without a name';
        report.notice(
          `the exemption ${name} is not accepted, so it grants nothing`,
          `kubectl describe guardexemption ${name}`,
        );
        continue;
      }
      const { from, until, grant, namespaces } = read.data.spec;
      if (until <= now || (from !== null && from > now)) continue;
      inForce++;
      const [kind = ''] = Object.keys(grant);
      const what = EFFECT[kind] ?? 'something is widened';
      report.notice(
        `the exemption ${read.data.metadata.name} is in force in ${namespaces.join(', ')} for ${spanOf(until - now)}: ${what}`,
        `when it is needed no more: kubectl delete guardexemption ${read.data.metadata.name}`,
      );
    }
    if (inForce === 0) report.ok('no exemption is in force');
  });
}

const EFFECT: Readonly<Record<string, string>> = {
  monitor: 'nothing is blocked or replaced there',
  unredacted: 'identifiers go out as they are',
  keepEntities: 'some kinds of identifiers go out as they are',
  destinations: 'further destinations are reached unread',
  hardening: 'pods keep a way around the guard that is denied elsewhere',
};
