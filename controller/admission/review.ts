import type { ExemptionDocument } from '#contract/policy-schema.ts';
import { type AdmissionResponse, allow, type Answer, deny } from './answer.ts';
import { findingOf } from './bypass-rules.ts';
import type { NamespaceFacts } from './pod-facts.ts';
import { type AdmissionRequest, parseReview } from './request.ts';
import { reviewDebugContainers, reviewDebugOutcome } from './review-debug.ts';
import { reviewPod, reviewPodOutcome } from './review-pod.ts';
import { reviewResource } from './review-resource.ts';
import { reviewTemplate, TEMPLATE_PATHS } from './review-template.ts';
import type { AdmissionSettings } from './settings.ts';

/** Everything that a decision depends on beside the review itself. */
export interface AdmissionContext {
  readonly settings: AdmissionSettings;
  /** Settings under which other replicas guard pods, still or already, while a release is upgraded; checked, never injected. */
  readonly previous?: readonly AdmissionSettings[];
  /** The namespace that the review is about, with its labels. */
  readonly namespace: NamespaceFacts;
  /** The cluster's GuardExemptions. */
  readonly exemptions: readonly ExemptionDocument[];
  /** The controller's secret, at least 32 bytes. */
  readonly key: Uint8Array;
  /** Ms since the epoch. */
  readonly now: number;
}

/** An answered review: the document for the API server, and what was decided for metrics and the log. */
export interface ReviewedAdmission extends Omit<Answer, 'response'> {
  readonly review: {
    readonly apiVersion: 'admission.k8s.io/v1';
    readonly kind: 'AdmissionReview';
    readonly response: AdmissionResponse;
  };
}

/**
 * Answers an AdmissionReview as the mutating webhook. Total: whatever the body is, there is an answer, and it allows only
 * what is guarded or not ours. The same review at the same time under the same key gives the same answer, dry run or not.
 * @param body the parsed JSON of a request
 */
export function reviewAdmission(body: unknown, context: AdmissionContext): ReviewedAdmission {
  return answerReview(body, (request) => mutate(request, context));
}

/**
 * Answers an AdmissionReview as the validating webhook: after all mutation, a pod in scope is guarded completely or denied.
 * @param body the parsed JSON of a request
 */
export function reviewOutcome(body: unknown, context: AdmissionContext): ReviewedAdmission {
  return answerReview(body, (request) => {
    if (isPodRequest(request, '', 'CREATE')) return reviewPodOutcome(request, context);
    if (isPodRequest(request, 'ephemeralcontainers', 'UPDATE')) return reviewDebugOutcome(request, context);
    return allow(request.uid, 'not-ours', [], []);
  });
}

/** Denies a body that could not even be parsed, so that the caller hears what is wrong. */
export function denyBody(code: 400 | 413, why: string): ReviewedAdmission {
  return wrap(deny('', code, [findingOf('ADM-17', 'review', why)]));
}

function answerReview(body: unknown, decide: (request: AdmissionRequest) => Answer): ReviewedAdmission {
  const parsed = parseReview(body);
  if (!parsed.ok) return wrap(deny(parsed.uid, 400, parsed.findings));
  try {
    return wrap(decide(parsed.request));
  } catch {
    // A fault of ours: nothing is told of the object, and nothing is let through.
    return wrap(deny(parsed.request.uid, 500, [findingOf('ADM-39', 'review')]));
  }
}

function mutate(request: AdmissionRequest, context: AdmissionContext): Answer {
  if (isPodRequest(request, '', 'CREATE')) return reviewPod(request, context);
  if (isPodRequest(request, 'ephemeralcontainers', 'UPDATE')) return reviewDebugContainers(request, context);
  const writes = request.operation === 'CREATE' || request.operation === 'UPDATE';
  if (!writes || request.subResource !== '') return allow(request.uid, 'not-ours', [], []);
  if (TEMPLATE_PATHS.has(`${request.group}/${request.resource}`)) return reviewTemplate(request, context);
  if (request.group === 'lazaret.dev') return reviewResource(request);
  return allow(request.uid, 'not-ours', [], []);
}

function isPodRequest(request: AdmissionRequest, subResource: string, operation: string): boolean {
  return (
    request.group === '' &&
    request.resource === 'pods' &&
    request.subResource === subResource &&
    request.operation === operation
  );
}

function wrap({ decision, rules, response }: Answer): ReviewedAdmission {
  return { decision, rules, review: { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response } };
}
