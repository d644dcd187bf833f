import { coversOperation, coversRegion } from './agreement-match.ts';
import type { Agreement, Policy } from './policy.ts';
import type { CheckName, HeadFacts } from './policy-facts.ts';
import { operationMatches } from './policy-pattern.ts';
import type { KnownHost } from './policy-register.ts';
import { DAY_MS } from './policy-time.ts';
import type { Reason, Refusal } from './reason.ts';

const EARLY = 'An Anthropic agreement signed before 2025-12-02 covers the API only.';
const CODING = 'The backend of a coding assistant needs an agreement of kind coding.';
const VENDORS = 'A router is covered only while every vendor behind it has an agreement in force.';
const CLEAR = 'A provider is reached over TLS only; use https.';

/** What a check looks at. */
export interface CheckInput<Facts> {
  readonly policy: Policy;
  readonly agreement: Agreement;
  readonly facts: Facts;
  /** What the register says of the host; null for a host that it does not name. */
  readonly known: KnownHost | null;
  /** Now, ms since the epoch. */
  readonly now: number;
}

/** A check passed (with or without a remark) or refuses. */
export type Finding =
  | { readonly ok: true; readonly detail?: string }
  | { readonly ok: false; readonly refusal: Refusal };

/** One named rule over one agreement. */
export interface NamedCheck<Facts> {
  readonly name: CheckName;
  readonly find: (input: CheckInput<Facts>) => Finding;
}

/** What can be judged before the body is read, in order. */
export const HEAD_CHECKS: readonly NamedCheck<HeadFacts>[] = [
  { name: 'agreement', find: findAgreement },
  { name: 'dates', find: findDates },
  { name: 'verified', find: findVerified },
  { name: 'product', find: findProduct },
  { name: 'protocol', find: findProtocol },
  { name: 'endpoint', find: findEndpoint },
  { name: 'credential', find: findCredential },
  { name: 'organization', find: findOrganization },
  { name: 'user', find: findUser },
];

export const PASSED: Finding = { ok: true };

/**
 * @param where a field of the agreement or the policy, or a part of the request; never a value
 * @param sentence what to tell the developer instead of the reason's own sentence
 */
export function refuse(reason: Reason, where: string, sentence?: string): Finding {
  return { ok: false, refusal: sentence === undefined ? { reason, where } : { reason, where, sentence } };
}

/** Signed, with the customer's own reference: what could be signed covers nothing. */
function findAgreement({ policy, agreement, known }: CheckInput<HeadFacts>): Finding {
  if (!policy.agreementLists.every((list) => list.includes(agreement.id)))
    return refuse('agreement_missing', 'EgressPolicy.agreements');
  // Nobody hosts a known provider himself: the kind must not talk a contract away.
  if (agreement.kind === 'self-hosted') return known === null ? PASSED : refuse('agreement_missing', 'kind');
  if (agreement.contract === null) return refuse('agreement_missing', 'contract');
  if (agreement.contract.status !== 'signed') return refuse('agreement_missing', 'contract.status');
  if (agreement.contract.ref === null) return refuse('agreement_missing', 'contract.ref');
  return agreement.contract.signedOn === null ? refuse('agreement_missing', 'contract.signedOn') : PASSED;
}

function findDates({ agreement, now }: CheckInput<HeadFacts>): Finding {
  const contract = agreement.contract;
  if (contract === null) return PASSED;
  if (contract.signedOn !== null && now < contract.signedOn) return refuse('agreement_expired', 'contract.signedOn');
  if (contract.effectiveOn !== null && now < contract.effectiveOn)
    return refuse('agreement_expired', 'contract.effectiveOn');
  return contract.expiresOn !== null && now >= contract.expiresOn
    ? refuse('agreement_expired', 'contract.expiresOn')
    : PASSED;
}

function findVerified({ policy, agreement, now }: CheckInput<HeadFacts>): Finding {
  if (agreement.kind === 'self-hosted') return PASSED;
  const { warnDays, denyDays } = policy.lastVerified;
  const age = agreement.lastVerified === null ? Number.POSITIVE_INFINITY : (now - agreement.lastVerified) / DAY_MS;
  if (denyDays !== null && age > denyDays) return refuse('agreement_expired', 'lastVerified');
  return age > warnDays
    ? {
        ok: true,
        detail:
          agreement.lastVerified === null
            ? 'warning: never verified'
            : `warning: last verified more than ${warnDays} days ago`,
      }
    : PASSED;
}

/** An Anthropic agreement signed before this day covers API use only, whatever its text says. */
const ANTHROPIC_SCOPE_FROM = Date.UTC(2025, 11, 2);

function findProduct(input: CheckInput<HeadFacts>): Finding {
  const { agreement, facts, known } = input;
  const { contract, kind, requires, confirmed } = agreement;
  if (kind !== 'self-hosted') {
    const early = known?.provider === 'Anthropic' && (contract?.signedOn ?? 0) < ANTHROPIC_SCOPE_FROM;
    const scope = early ? ['api'] : (contract?.scope ?? []);
    if (!scope.includes(kind)) return refuse('product_not_covered', 'contract.scope', early ? EARLY : undefined);
  }
  if (known?.kind === 'coding-backend' && kind !== 'coding') return refuse('product_not_covered', 'kind', CODING);
  if (requires.hipaaOrg && !confirmed.hipaaOrg) return refuse('product_not_covered', 'confirmed.hipaaOrg');
  if ((requires.zdr || (kind === 'coding' && known?.provider === 'Anthropic')) && !confirmed.zdr)
    return refuse('product_not_covered', 'confirmed.zdr');
  if (!coversRegion(agreement, facts)) return refuse('product_not_covered', 'match.regions');
  return known?.kind === 'router' ? findVendors(input) : PASSED;
}

/** A router breaks the chain of agreements unless every vendor behind it has one of its own in force. */
function findVendors(input: CheckInput<HeadFacts>): Finding {
  const { agreement, policy } = input;
  const vendors = agreement.routesTo.map((id) => policy.agreements.find((other) => other.id === id));
  const covered = vendors.every(
    (vendor) =>
      vendor !== undefined &&
      findAgreement({ ...input, agreement: vendor }).ok &&
      findDates({ ...input, agreement: vendor }).ok,
  );
  return vendors.length > 0 && covered ? PASSED : refuse('product_not_covered', 'routesTo', VENDORS);
}

function findProtocol({ agreement, facts }: CheckInput<HeadFacts>): Finding {
  return facts.secure || agreement.kind === 'self-hosted' ? PASSED : refuse('protocol_not_allowed', 'scheme', CLEAR);
}

function findEndpoint({ policy, agreement, facts }: CheckInput<HeadFacts>): Finding {
  if (facts.dialect === null) return refuse('endpoint_not_covered', 'operation');
  if (!coversOperation(agreement, facts)) return refuse('endpoint_not_covered', 'match.paths');
  const narrowed = policy.pathLists.every((list) =>
    list.some((pattern) => operationMatches(pattern, facts.method, facts.path)),
  );
  return narrowed ? PASSED : refuse('endpoint_not_covered', 'EgressPolicy.paths');
}

function findCredential({ agreement, facts: { credential } }: CheckInput<HeadFacts>): Finding {
  const { kinds, denyPrefixes, keyFingerprints } = agreement.credential;
  if (!kinds.includes(credential.kind)) return refuse('credential_not_covered', `credential.${credential.kind}`);
  // A plan token may be a consumer's: without a pinned account nothing would ever show it.
  const isPlan = credential.kind === 'oauth' || credential.kind === 'session';
  if (isPlan && agreement.organization === null && agreement.kind !== 'self-hosted')
    return refuse('credential_not_covered', 'match.organization.ids');
  if (denyPrefixes.some((prefix) => credential.startsWith(prefix)))
    return refuse('credential_not_covered', 'match.credential.denyPrefixes');
  const pinned =
    keyFingerprints.length === 0 || keyFingerprints.some((known) => known.slice(0, 32) === credential.fingerprint);
  return pinned ? PASSED : refuse('credential_not_covered', 'match.credential.keyFingerprints');
}

/** The account itself shows only in the provider's answer (`checkOrganization`); here what the request claims. */
function findOrganization({ policy, agreement, facts }: CheckInput<HeadFacts>): Finding {
  const pinned = agreement.organization;
  if (pinned === null) {
    const needed = policy.organization === 'required' && agreement.kind !== 'self-hosted';
    return needed ? refuse('organization_not_covered', 'match.organization.ids') : PASSED;
  }
  return facts.organization === undefined || pinned.ids.includes(facts.organization)
    ? PASSED
    : refuse('organization_not_covered', 'openai-organization');
}

function findUser({ policy, facts }: CheckInput<HeadFacts>): Finding {
  const accepted: readonly string[] | null = policy.requireUser;
  if (accepted === null || accepted.includes(facts.user)) return PASSED;
  return accepted.includes('body')
    ? { ok: true, detail: 'the body must name the user' }
    : refuse('user_required', 'x-lazaret-user');
}
