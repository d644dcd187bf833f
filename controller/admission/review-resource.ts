import { parseSource } from '#contract/policy-source.ts';
import { allow, type Answer, deny } from './answer.ts';
import { findingOf } from './bypass-rules.ts';
import type { AdmissionRequest } from './request.ts';

/** Kinds of which a fault may lie in another resource that this review does not hold. */
const REFERENCE = /^spec\.(routesTo|agreements|paths|destinations)\[/;

/**
 * Decides a resource of ours by itself, before it is stored. What depends on other resources is judged where all of them
 * are together, and shown in the resource's conditions: an order of creation must not be forced on anybody.
 */
export function reviewResource(request: AdmissionRequest): Answer {
  const { uid, object } = request;
  if (object === null) return deny(uid, 403, [findingOf('ADM-60', 'object', 'the review holds no object.')]);
  const parsed = parseSource([object]);
  if (parsed.ok) return allow(uid, 'unchanged', [], []);
  const own = parsed.faults.filter(
    ({ problem, field }) => !(REFERENCE.test(field) && /another|cluster|no ProviderAgreement/.test(problem)),
  );
  if (own.length === 0) return allow(uid, 'unchanged', [], []);
  return deny(
    uid,
    403,
    own.map(({ field, problem }) => findingOf('ADM-60', field === '' ? 'object' : field, `${problem}.`)),
  );
}
