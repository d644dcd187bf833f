import { LIMIT } from '#contract/limit.ts';
import { type PatchOperation } from './json-patch.ts';
import { describeFinding, type Finding } from './rule.ts';

/** The body of an AdmissionReview response (admission.k8s.io/v1). */
export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: ResponseStatus;
  readonly patchType?: 'JSONPatch';
  /** Base64 of a JSON patch (RFC 6902). */
  readonly patch?: string;
  readonly warnings?: readonly string[];
}

export interface ResponseStatus {
  readonly status: 'Failure';
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details: {
    readonly causes: readonly { readonly reason: string; readonly field: string; readonly message: string }[];
  };
}

/** What was decided: a closed vocabulary for metrics and the log. */
export type AdmissionDecision = 'injected' | 'unchanged' | 'not-ours' | 'denied' | 'warned';

/** A decided review. */
export interface Answer {
  readonly decision: AdmissionDecision;
  /** Ids of the broken rules, each once. */
  readonly rules: readonly string[];
  readonly response: AdmissionResponse;
}

/** The API server cuts longer warnings. */
const WARNING_CHARS = 256;

/** Lets the object through, changed or not. */
export function allow(
  uid: string,
  decision: AdmissionDecision,
  patch: readonly PatchOperation[],
  warnings: readonly string[],
): Answer {
  const cut = warnings.slice(0, LIMIT.admissionFaults).map((text) => `lazaret: ${text}`.slice(0, WARNING_CHARS));
  return {
    decision,
    rules: [],
    response: {
      uid,
      allowed: true,
      ...(patch.length === 0
        ? {}
        : { patchType: 'JSONPatch' as const, patch: Buffer.from(JSON.stringify(patch)).toString('base64') }),
      ...(cut.length === 0 ? {} : { warnings: cut }),
    },
  };
}

/** Denies the object. Every finding is one line: rule, field, why, and what to write instead. */
export function deny(uid: string, code: 400 | 403 | 413 | 500, findings: readonly Finding[]): Answer {
  const named = findings.slice(0, LIMIT.admissionFaults);
  const more = findings.length - named.length;
  const message = [...named.map(describeFinding), ...(more > 0 ? [`and ${more} more.`] : [])].join('\n');
  return {
    decision: 'denied',
    rules: [...new Set(findings.map(({ id }) => id))],
    response: {
      uid,
      allowed: false,
      status: {
        status: 'Failure',
        code,
        reason: REASON[code],
        message: `lazaret: ${message}`,
        details: {
          causes: named.map(({ id, field, why, instead }) => ({ reason: id, field, message: `${why} ${instead}` })),
        },
      },
    },
  };
}

const REASON = { 400: 'BadRequest', 403: 'Forbidden', 413: 'RequestEntityTooLarge', 500: 'InternalError' } as const;

/** What an author should know although nothing was denied. */
export function warningOf({ id, field, why }: Finding): string {
  return `pods of this template will be denied: ${id} ${field}: ${why}`;
}
