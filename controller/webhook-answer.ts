import { LABEL, ANNOTATION } from '#contract/labels.ts';
import { LIMIT } from '#contract/limit.ts';
import { deny } from './admission/answer.ts';
import { findingOf } from './admission/bypass-rules.ts';
import { isJsonObject, ownField } from './admission/json.ts';
import type { NamespaceFacts } from './admission/pod-facts.ts';
import { type AdmissionRequest, parseReview } from './admission/request.ts';
import { reviewAdmission, type ReviewedAdmission, reviewOutcome } from './admission/review.ts';
import type { ClusterView } from './ports.ts';
import type { ReviewBase } from './webhook-context.ts';

/** The webhooks by path. */
export const WEBHOOK_PATHS = ['/mutate', '/validate', '/resources', '/templates'] as const;
export type WebhookPath = (typeof WEBHOOK_PATHS)[number];

/** What answers a review from memory. */
export interface AnswerPorts {
  readonly view: ClusterView;
  readonly base: () => ReviewBase | null;
  /** Waits for the watches: true when the test holds within `LIMIT.admissionWaitMs`, false else or when too many wait. */
  readonly settle: (test: () => boolean) => Promise<boolean>;
  readonly now: () => number;
}

/** An answered review with what the log may say of it. */
export interface Answered {
  readonly reviewed: ReviewedAdmission;
  /** Null when the body was no review. */
  readonly request: AdmissionRequest | null;
}

/**
 * Answers one review. Nothing is asked of anybody: what the watches have shown decides. A namespace or a configuration
 * that they have not shown yet is waited for a moment, since the API server may be ahead of them.
 * @returns null when there is nothing to decide by
 */
export async function answerReview(path: WebhookPath, body: unknown, ports: AnswerPorts): Promise<Answered | null> {
  const parsed = parseReview(body);
  const request = parsed.ok ? parsed.request : null;
  const needed = request?.namespace ?? '';
  const known = needed === '' || (await awaitNamespace(path, needed, ports));
  if (request !== null && !known) return { reviewed: denyUnknown(request), request };
  const reviewed = review(path, body, needed, ports);
  if (reviewed === null || path !== '/validate' || reviewed.decision !== 'denied')
    return reviewed && { reviewed, request };
  // Another replica may have injected under a configuration that reaches us a moment later.
  const config = configOf(request);
  const isKnown = (): boolean => {
    const base = ports.base();
    return [base?.settings, ...(base?.previous ?? [])].some((settings) => settings?.config === config);
  };
  if (config === null || isKnown() || !(await ports.settle(isKnown))) return { reviewed, request };
  const again = review(path, body, needed, ports);
  return again && { reviewed: again, request };
}

function review(path: WebhookPath, body: unknown, namespace: string, ports: AnswerPorts): ReviewedAdmission | null {
  const base = ports.base();
  if (base === null) return null;
  const facts: NamespaceFacts = ports.view.namespace(namespace) ?? { name: namespace, labels: {} };
  const context = { ...base, namespace: facts, now: ports.now() };
  return path === '/validate' ? reviewOutcome(body, context) : reviewAdmission(body, context);
}

/**
 * The API server asks only about namespaces that opted in: one that we do not know, or know without the label, was made
 * or labelled a moment ago. Advice on templates is not worth a wait.
 * @returns false when it is still unknown after the wait
 */
async function awaitNamespace(path: WebhookPath, name: string, { view, settle }: AnswerPorts): Promise<boolean> {
  if (path === '/templates') return true;
  const isIn = (): boolean => Object.hasOwn(view.namespace(name)?.labels ?? {}, LABEL.guard);
  if (!isIn() && path !== '/resources') await settle(isIn);
  return view.namespace(name) !== null || settle(() => view.namespace(name) !== null);
}

function denyUnknown(request: AdmissionRequest): ReviewedAdmission {
  const why = 'the controller has not been told of this namespace yet; nothing is let through unguarded meanwhile.';
  const finding = { ...findingOf('ADM-20', 'request.namespace', why), instead: 'Try again in a few seconds.' };
  const { decision, rules, response } = deny(request.uid, 500, [finding]);
  return { decision, rules, review: { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response } };
}

/** The configuration that a pod's mark names; what it says is checked by nobody here, it only makes us wait. */
function configOf(request: AdmissionRequest | null): string | null {
  const metadata = request?.object?.metadata;
  const annotations = isJsonObject(metadata) ? ownField(metadata, 'annotations') : null;
  const mark = isJsonObject(annotations) ? ownField(annotations, ANNOTATION.mark) : null;
  if (typeof mark !== 'string' || mark.length > 1_024) return null;
  return /"config":"([0-9a-f]{16})"/.exec(mark)?.[1] ?? null;
}

/** Lets a bounded number of reviews wait for the watches. @param until as `KeptView.until` */
export function createSettle(
  until: (test: () => boolean, signal: AbortSignal) => Promise<boolean>,
): (test: () => boolean) => Promise<boolean> {
  let waiting = 0;
  return async (test) => {
    if (test()) return true;
    if (waiting >= LIMIT.admissionWaiters) return false;
    waiting += 1;
    try {
      return await until(test, AbortSignal.timeout(LIMIT.admissionWaitMs));
    } finally {
      waiting -= 1;
    }
  };
}
