import { findingOf } from './bypass-rules.ts';
import { isJsonObject, type JsonObject, ownField } from './json.ts';
import type { Finding } from './rule.ts';

/** A review's request, as far as admission reads it. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly group: string;
  readonly resource: string;
  readonly subResource: string;
  readonly operation: string;
  readonly namespace: string;
  readonly requester: string;
  readonly dryRun: boolean;
  readonly object: JsonObject | null;
  readonly oldObject: JsonObject | null;
}

/** A request, or why it is none; the uid is kept where it could be read, so that the answer finds its question. */
export type ParsedReview =
  | { readonly ok: true; readonly request: AdmissionRequest }
  | { readonly ok: false; readonly uid: string; readonly findings: readonly Finding[] };

/** Reads an AdmissionReview (admission.k8s.io/v1). Total: whatever it is given, it gives a request or findings. */
export function parseReview(body: unknown): ParsedReview {
  const request = isJsonObject(body) ? ownField(body, 'request') : undefined;
  const uid = isJsonObject(request) ? text(request, 'uid') : '';
  const fault = (field: string, why: string): ParsedReview => ({
    ok: false,
    uid,
    findings: [findingOf('ADM-17', field, why)],
  });
  if (!isJsonObject(body)) return fault('review', 'it is not a JSON object.');
  if (body.apiVersion !== 'admission.k8s.io/v1' || body.kind !== 'AdmissionReview')
    return fault('apiVersion', 'it is not an AdmissionReview of admission.k8s.io/v1.');
  if (!isJsonObject(request)) return fault('request', 'it is missing or not an object.');
  if (uid === '' || uid.length > 256)
    return fault('request.uid', 'it is missing or not a string of at most 256 characters.');
  const resource = readResource(request);
  if (resource === null) return fault('request.resource', 'it does not name a resource.');
  if (text(request, 'operation') === '') return fault('request.operation', 'it is missing or not a string.');
  return {
    ok: true,
    request: {
      uid,
      ...resource,
      subResource: text(request, 'subResource'),
      operation: text(request, 'operation'),
      namespace: text(request, 'namespace'),
      requester: text(objectField(request, 'userInfo') ?? {}, 'username'),
      dryRun: ownField(request, 'dryRun') === true,
      object: objectField(request, 'object'),
      oldObject: objectField(request, 'oldObject'),
    },
  };
}

/** The namespace that a review is about, for whoever has to look up its labels first; empty when it names none. */
export function reviewNamespace(body: unknown): string {
  const parsed = parseReview(body);
  return parsed.ok ? parsed.request.namespace : '';
}

/** Kinds whose resource a review that was written by hand may leave out; an API server always names it. */
const RESOURCE_OF: ReadonlyMap<string, string> = new Map([
  ['Pod', 'pods'],
  ['Deployment', 'deployments'],
  ['StatefulSet', 'statefulsets'],
  ['DaemonSet', 'daemonsets'],
  ['Job', 'jobs'],
  ['CronJob', 'cronjobs'],
]);

function readResource(request: JsonObject): { readonly group: string; readonly resource: string } | null {
  const named = ownField(request, 'resource') ?? null;
  if (named !== null) {
    if (!isJsonObject(named)) return null;
    const resource = text(named, 'resource');
    return resource === '' ? null : { group: text(named, 'group'), resource };
  }
  const kind = objectField(request, 'kind');
  const resource = kind === null ? undefined : RESOURCE_OF.get(text(kind, 'kind'));
  return kind === null || resource === undefined ? null : { group: text(kind, 'group'), resource };
}

function text(object: JsonObject, field: string): string {
  const value = ownField(object, field);
  return typeof value === 'string' ? value : '';
}

function objectField(object: JsonObject, field: string): JsonObject | null {
  const value = ownField(object, field);
  return isJsonObject(value) ? value : null;
}
