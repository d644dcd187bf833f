import type { CheckInput, Finding, NamedCheck } from './agreement-check.ts';
import { PASSED, refuse } from './agreement-check.ts';
import { eligibleFeatures } from './agreement-feature.ts';
import type { ExchangeFacts } from './policy-facts.ts';
import { firstGlob } from './policy-pattern.ts';

/** What can be judged once the body is parsed, in order. */
export const CONTENT_CHECKS: readonly NamedCheck<ExchangeFacts>[] = [
  { name: 'user', find: findUser },
  { name: 'model', find: findModel },
  { name: 'features', find: findFeatures },
  { name: 'media', find: findMedia },
];

function findUser({ policy, facts }: CheckInput<ExchangeFacts>): Finding {
  const accepted: readonly string[] | null = policy.requireUser;
  if (accepted === null || accepted.includes(facts.user) || (facts.userInBody && accepted.includes('body')))
    return PASSED;
  return refuse('user_required', 'x-lazaret-user');
}

/** A model that lists do not name is not covered; the name itself is the caller's text and is not repeated. */
function findModel({ policy, agreement, facts: { model } }: CheckInput<ExchangeFacts>): Finding {
  const named = (list: readonly string[]) => model !== null && firstGlob(list, model) !== null;
  if (named(policy.denyModels)) return refuse('model_not_covered', 'denyModels');
  if (!policy.modelLists.every(named)) return refuse('model_not_covered', 'allowModels');
  if (agreement.allowModels.length > 0)
    return named(agreement.allowModels) ? PASSED : refuse('model_not_covered', 'match.allowModels');
  return named(agreement.denyModels) ? refuse('model_not_covered', 'match.denyModels') : PASSED;
}

const UNKNOWN =
  'The request uses a provider feature that is not known to be covered; leave it out or ask the policy owner.';

/** A denied feature refuses, and so does one that neither the agreement nor the provider's published list names. */
function findFeatures({ policy, agreement, facts }: CheckInput<ExchangeFacts>): Finding {
  const eligible = [...agreement.allowFeatures, ...eligibleFeatures(facts.dialect ?? '')];
  for (const feature of facts.features) {
    const denied = firstGlob(policy.denyFeatures, feature) ?? firstGlob(agreement.denyFeatures, feature);
    if (denied !== null) return refuse('feature_not_covered', denied);
    if (feature.startsWith('media:') || agreement.kind === 'self-hosted' || firstGlob(eligible, feature) !== null)
      continue;
    // The name came from the caller and may be anything; its class is ours.
    return refuse(
      'feature_not_covered',
      /^(?:beta|tool|body|block|header)(?=:)/.exec(feature)?.[0] ?? 'feature',
      UNKNOWN,
    );
  }
  return PASSED;
}

function findMedia({ policy, facts }: CheckInput<ExchangeFacts>): Finding {
  return policy.media === 'deny' && facts.features.some((feature) => feature.startsWith('media:'))
    ? refuse('media_not_allowed', 'media')
    : PASSED;
}
