/** Who must act on a refusal: the developer of the application, the owner of policy and agreements, or who runs Lazaret. */
export type Actor = 'developer' | 'policy-owner' | 'operator';

interface ReasonFacts {
  readonly status: 400 | 403 | 413 | 503;
  /** Whether the same request may succeed later without anybody changing it: the SDKs' `x-should-retry`. */
  readonly retry: boolean;
  readonly actor: Actor;
  /** One sentence for the developer who meets the refusal: what happened and what to do. */
  readonly sentence: string;
}

/** The closed catalogue of reasons. A reason is a metric label and an API: codes are never renamed. */
export const REASONS = {
  provider_not_approved: r403(
    'policy-owner',
    'This provider or product is not approved for traffic that may carry PHI.',
  ),
  agreement_missing: r403(
    'policy-owner',
    'No signed business associate agreement covers this provider; ask the policy owner to add a ProviderAgreement.',
  ),
  agreement_expired: r403(
    'policy-owner',
    'The business associate agreement for this provider is not in force today; ask the policy owner to renew it.',
  ),
  product_not_covered: r403('policy-owner', 'The agreement with this provider does not cover this product.'),
  endpoint_not_covered: r403(
    'policy-owner',
    'This API operation is not covered: use an operation that the agreement lists, or ask the policy owner.',
  ),
  feature_not_covered: r403(
    'policy-owner',
    'The request uses a provider feature that the agreement does not cover; leave it out or ask the policy owner.',
  ),
  model_not_covered: r403('policy-owner', 'The agreement does not cover this model.'),
  credential_not_covered: r403(
    'policy-owner',
    'The agreement does not cover this kind of credential; use an API key of the covered organization.',
  ),
  organization_not_covered: r403(
    'policy-owner',
    'The provider account behind this key is not one that the agreement covers.',
  ),
  destination_not_allowed: r403(
    'policy-owner',
    'This destination is not listed in egress.destinations for this workload.',
  ),
  media_not_allowed: r403(
    'policy-owner',
    'Images, documents and audio cannot be examined for identifiers and are not allowed here.',
  ),
  identifier_not_allowed: r403(
    'developer',
    'The request holds a kind of identifier that policy does not let near a model; remove it.',
  ),
  too_many_identifiers: r403(
    'developer',
    'The request holds more identifiers than policy allows in one prompt; send only what the task needs.',
  ),
  user_required: r403(
    'developer',
    'Policy requires to know which user asks: send a verified JWT or the x-lazaret-user header.',
  ),
  body_unreadable: r400(
    'developer',
    'The request body could not be read completely and unambiguously as this API defines it.',
  ),
  protocol_not_allowed: r400(
    'developer',
    'This form of HTTP is not let through, because it could hide a request from examination.',
  ),
  body_too_large: {
    status: 413,
    retry: false,
    actor: 'developer',
    sentence: 'The request body is larger than the guard examines; send less at once.',
  },
  detector_failed: r503('The PHI detector did not finish, so nothing was sent.'),
  audit_unavailable: r503('The audit record could not be made durable, so nothing was sent.'),
  policy_missing: r503('The guard has no policy yet, so nothing was sent.'),
  policy_stale: r503('The guard has not seen a fresh policy for too long, so nothing was sent.'),
  busy: r503('The guard holds as many request bodies as it may; try again shortly.'),
  upstream_unreachable: r503('The provider could not be reached over verified TLS, or did not send a whole answer.'),
  response_unreadable: r503('The provider answered in a form that could not be examined, so the answer was withheld.'),
  internal_error: r503('The guard failed, so nothing more was sent.'),
} as const satisfies Record<string, ReasonFacts>;

/** A stable refusal code. */
export type Reason = keyof typeof REASONS;

function r403(actor: Actor, sentence: string): ReasonFacts {
  return { status: 403, retry: false, actor, sentence };
}
function r400(actor: Actor, sentence: string): ReasonFacts {
  return { status: 400, retry: false, actor, sentence };
}
function r503(sentence: string): ReasonFacts {
  return { status: 503, retry: true, actor: 'operator', sentence };
}

/** A refusal as a value: why, and which part of the request (a name from a closed vocabulary or a JSON path, never a value). */
export interface Refusal {
  readonly reason: Reason;
  readonly where?: string;
  /** Stands in for the reason's own sentence where more can be said; one of ours, never made of a value of the request. */
  readonly sentence?: string;
}
