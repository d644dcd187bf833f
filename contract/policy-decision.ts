import type { CheckInput, NamedCheck } from './agreement-check.ts';
import { HEAD_CHECKS } from './agreement-check.ts';
import { CONTENT_CHECKS } from './agreement-content.ts';
import { matchAgreements } from './agreement-match.ts';
import { ENTITIES } from './entity.ts';
import type { Entity, EntityAction } from './entity.ts';
import type { Agreement, Policy } from './policy.ts';
import type {
  Allowed,
  Check,
  CoveredBy,
  ExchangeDecision,
  ExchangeFacts,
  HeadDecision,
  HeadFacts,
  RedactionPolicy,
} from './policy-facts.ts';
import type { KnownHost } from './policy-register.ts';
import { isWithin } from './policy-time.ts';
import type { Refusal } from './reason.ts';
import { KIND_SENTENCES, lookupHost } from './register.ts';

/**
 * Whether an exchange may go on to its body: provider, agreement, dates, product, endpoint, credential, organization, user.
 * @param now ms since the epoch: ends of agreements and grants hold to the millisecond, whatever the age of the policy
 */
export function decideHead(policy: Policy, facts: HeadFacts, now: number): HeadDecision {
  const decision = decide({ policy, facts, now }, HEAD_CHECKS);
  if (decision.kind === 'refuse') return decision;
  const { covering: _, kind: __, ...granted } = decision;
  return { kind: 'proceed', ...granted };
}

/**
 * Whether an exchange may leave. Decides the head again, since an agreement may have ended or policy may have changed while the
 * body came, and then what the body tells: user, model, features, media.
 */
export function decideExchange(policy: Policy, facts: ExchangeFacts, now: number): ExchangeDecision {
  return decide({ policy, facts, now }, ALL_CHECKS);
}

/** The content's check of the user takes the place of the head's, which had to leave room for the body. */
const ALL_CHECKS: readonly NamedCheck<ExchangeFacts>[] = [
  ...HEAD_CHECKS.filter((head) => CONTENT_CHECKS.every((content) => content.name !== head.name)),
  ...CONTENT_CHECKS,
];

interface Question<Facts> {
  readonly policy: Policy;
  readonly facts: Facts;
  readonly now: number;
}

/** The checks of one agreement up to the first that refuses. */
interface Judged {
  readonly covered: CoveredBy;
  readonly agreement: Agreement | null;
  readonly checks: readonly Check[];
  readonly refusal: Refusal | null;
}

function decide<Facts extends HeadFacts>(
  question: Question<Facts>,
  checks: readonly NamedCheck<Facts>[],
): ExchangeDecision {
  const { policy, now } = question;
  const { covered, agreement, checks: made, refusal } = judge(question, checks);
  const monitored = policy.grants.monitor.some((window) => isWithin(window, now));
  if (refusal !== null && !monitored) return { kind: 'refuse', refusal, checks: made, ...covered };
  const allowed: Allowed = {
    kind: 'allow',
    mode: monitored ? 'monitor' : 'enforce',
    allowMedia: policy.media === 'allow',
    redaction: redactionAt(policy, now),
    checks: made,
    ...covered,
  };
  if (refusal !== null) return { ...allowed, would: refusal.reason };
  return agreement === null ? allowed : { ...allowed, covering: agreement };
}

function judge<Facts extends HeadFacts>(question: Question<Facts>, checks: readonly NamedCheck<Facts>[]): Judged {
  const known = lookupHost(question.facts.host);
  const agreements = matchAgreements(question.policy.agreements, question.facts);
  const barred = barProvider(known, agreements.length);
  if (barred !== null)
    return {
      covered: { provider: known?.provider ?? null, product: null, agreement: null },
      agreement: null,
      checks: [failed('provider', barred)],
      refusal: barred,
    };
  const judged = agreements.map((agreement) => judgeAgreement({ ...question, agreement, known }, checks));
  // Agreements of one rank are alternatives; where none covers, the one that got furthest tells the caller most.
  const furthest = judged.toSorted((a, b) => b.checks.length - a.checks.length)[0];
  const best = judged.find(({ refusal }) => refusal === null) ?? furthest;
  if (best === undefined) throw new RangeError('an agreement was matched but none was judged');
  return best;
}

/** A provider without any agreement, and products that no agreement can cover. */
function barProvider(known: KnownHost | null, agreements: number): Refusal | null {
  if (known?.kind === 'consumer-chat') return barredBy('provider_not_approved', known);
  if (agreements > 0) return null;
  if (known === null) return { reason: 'agreement_missing', where: 'host', sentence: OWN_MODEL };
  if (known.kind === 'api-baa-possible') return barredBy('agreement_missing', known);
  const isProduct = known.kind === 'router' || known.kind === 'coding-backend';
  return barredBy(isProduct ? 'product_not_covered' : 'provider_not_approved', known);
}

const OWN_MODEL = 'No agreement covers this host; a model of your own needs one of kind self-hosted.';

function barredBy(reason: Refusal['reason'], { kind }: KnownHost): Refusal {
  return { reason, where: 'host', sentence: KIND_SENTENCES[kind] };
}

function judgeAgreement<Facts extends HeadFacts>(
  input: CheckInput<Facts>,
  checks: readonly NamedCheck<Facts>[],
): Judged {
  const { agreement, known } = input;
  const covered = {
    provider: known?.provider ?? agreement.provider,
    product: agreement.product,
    agreement: agreement.id,
  };
  const made: Check[] = [{ name: 'provider', ok: true }];
  for (const { name, find } of checks) {
    const finding = find(input);
    if (!finding.ok)
      return { covered, agreement, checks: [...made, failed(name, finding.refusal)], refusal: finding.refusal };
    made.push({ name, ...finding });
  }
  return { covered, agreement, checks: made, refusal: null };
}

function failed(name: Check['name'], { where, sentence }: Refusal): Check {
  const detail = sentence ?? where;
  return detail === undefined ? { name, ok: false } : { name, ok: false, detail };
}

/** How identifiers are treated at a moment: redacted, but for what policy blocks and what a grant in force lets pass. */
export function redactionAt(policy: Policy, now: number): RedactionPolicy {
  const all = policy.grants.unredacted.some((window) => isWithin(window, now));
  const kept = new Set(
    policy.grants.keepEntities.filter(({ window }) => isWithin(window, now)).map(({ entity }) => entity),
  );
  const action = (entity: Entity): EntityAction =>
    policy.blockEntities.includes(entity) ? 'block' : all || kept.has(entity) ? 'keep' : 'redact';
  const actions = Object.fromEntries(ENTITIES.map((entity) => [entity, action(entity)])) as Record<
    Entity,
    EntityAction
  >;
  return { dates: policy.dates, actions, maxIdentifiers: policy.maxIdentifiers };
}
