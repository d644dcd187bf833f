import { LABEL } from '#contract/labels.ts';
import type { ExemptionDocument } from '#contract/policy-schema.ts';
import { RESOURCES } from '#contract/policy-schema.ts';
import type { PatchOperation } from '#controller/admission/json-patch.ts';
import type { Pod } from '#controller/admission/pod.ts';
import { isPod } from '#controller/admission/pod-shape.ts';
import type { AdmissionContext, ReviewedAdmission } from '#controller/admission/review.ts';
import { reviewAdmission } from '#controller/admission/review.ts';
import { compileSettings } from '#controller/admission/settings.ts';
import { parseAdmissionValues } from '#controller/admission/values.ts';

export const NOW = Date.parse('2026-03-02T10:00:00Z');
export const KEY = new TextEncoder().encode('a key of the tests, thirty-two bytes or more');

const MATERIAL = { bundleKeys: '{"keys":[]}', releaseAuthority: '-----BEGIN CERTIFICATE-----\n' };

export function makeSettings(values: unknown = {}) {
  const parsed = parseAdmissionValues(values);
  if (!parsed.ok) throw new Error(parsed.faults.join('; '));
  return compileSettings(parsed.values, MATERIAL, ['api.anthropic.com']);
}

const DEFAULT_SETTINGS = makeSettings();

export interface World {
  readonly values?: unknown;
  readonly namespace?: { readonly name?: string; readonly labels?: Readonly<Record<string, string>> };
  readonly exempt?: readonly string[];
  readonly now?: number;
  readonly key?: Uint8Array;
}

export function makeContext(world: World = {}): AdmissionContext {
  return {
    settings: world.values === undefined ? DEFAULT_SETTINGS : makeSettings(world.values),
    namespace: {
      name: world.namespace?.name ?? 'phi',
      labels: world.namespace?.labels ?? { [LABEL.guard]: 'labelled' },
    },
    exemptions: world.exempt === undefined ? [] : [makeExemption(world.exempt)],
    key: world.key ?? KEY,
    now: world.now ?? NOW,
  };
}

export function makeExemption(
  rules: readonly string[],
  spec: Readonly<Record<string, unknown>> = {},
): ExemptionDocument {
  return RESOURCES.GuardExemption.parse({
    apiVersion: 'lazaret.dev/v1alpha1',
    kind: 'GuardExemption',
    metadata: { name: 'old-image' },
    spec: {
      reason: 'the image steps down from root',
      approvedBy: 'security',
      from: '2026-01-01',
      until: '2026-06-30',
      namespaces: ['phi'],
      grant: { hardening: rules },
      ...spec,
    },
  });
}

/** A pod in scope with one container; `spec` and `app` are laid over it. */
export function makePod(spec: Readonly<Record<string, unknown>> = {}, app: Readonly<Record<string, unknown>> = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app-0', namespace: 'phi', labels: { [LABEL.phi]: 'true' } } as Record<string, unknown>,
    spec: { containers: [{ name: 'app', image: 'registry.example/app:1', ...app }], ...spec } as Record<
      string,
      unknown
    >,
  };
}

let count = 0;

/** An AdmissionReview that creates an object; every one has an admission uid of its own unless `request` gives one. */
export function makeReview(object: unknown, request: Readonly<Record<string, unknown>> = {}) {
  count += 1;
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: `review-${count}`,
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      operation: 'CREATE',
      namespace: 'phi',
      userInfo: { username: 'system:serviceaccount:kube-system:replicaset-controller' },
      object,
      oldObject: null,
      dryRun: false,
      ...request,
    },
  };
}

export function makeDebugReview(object: unknown, oldObject: unknown) {
  return makeReview(object, { subResource: 'ephemeralcontainers', operation: 'UPDATE', oldObject });
}

export function submit(
  object: unknown,
  world: World = {},
  request: Readonly<Record<string, unknown>> = {},
): ReviewedAdmission {
  return reviewAdmission(makeReview(object, request), makeContext(world));
}

export function patchOf(reviewed: ReviewedAdmission): readonly PatchOperation[] {
  const { patch } = reviewed.review.response;
  return patch === undefined ? [] : JSON.parse(Buffer.from(patch, 'base64').toString('utf8'));
}

export function messageOf(reviewed: ReviewedAdmission): string {
  return reviewed.review.response.status?.message ?? '';
}

export function warningsOf(reviewed: ReviewedAdmission): readonly string[] {
  return reviewed.review.response.warnings ?? [];
}

export function fieldsOf(reviewed: ReviewedAdmission): readonly string[] {
  return (reviewed.review.response.status?.details.causes ?? []).map(({ reason, field }) => `${reason} ${field}`);
}

/** Submits a pod and applies the patch. @throws when it is denied */
export function admit(object: unknown, world: World = {}, request: Readonly<Record<string, unknown>> = {}): Pod {
  const reviewed = submit(object, world, request);
  if (!reviewed.review.response.allowed) throw new Error(messageOf(reviewed));
  const pod = applyPatch(object, patchOf(reviewed));
  if (!isPod(pod)) throw new Error('the patched object is no pod');
  return pod;
}

/** RFC 6902, strictly: a path that is not there is an error. Written apart from the product's own code. */
export function applyPatch(document: unknown, patch: readonly PatchOperation[]): unknown {
  let root: unknown = JSON.parse(JSON.stringify(document));
  for (const operation of patch) {
    if (operation.path === '') {
      if (operation.op !== 'replace') throw new Error('only replace on the root');
      root = operation.value;
      continue;
    }
    const parts = operation.path
      .slice(1)
      .split('/')
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = parts.pop() ?? '';
    let parent: unknown = root;
    for (const part of parts) {
      if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, part))
        throw new Error(`no ${operation.path}`);
      parent = (parent as Record<string, unknown>)[part];
    }
    const value = operation.op === 'remove' ? undefined : JSON.parse(JSON.stringify(operation.value));
    if (Array.isArray(parent)) {
      const index = Number(last);
      if (!/^\d+$/.test(last) || index > parent.length - (operation.op === 'add' ? 0 : 1))
        throw new Error(`no ${operation.path}`);
      parent.splice(index, operation.op === 'add' ? 0 : 1, ...(operation.op === 'remove' ? [] : [value]));
      continue;
    }
    if (typeof parent !== 'object' || parent === null) throw new Error(`no ${operation.path}`);
    const target = parent as Record<string, unknown>;
    if (operation.op !== 'add' && !Object.hasOwn(target, last)) throw new Error(`no ${operation.path}`);
    if (operation.op === 'remove') delete target[last];
    else Object.defineProperty(target, last, { value, enumerable: true, writable: true, configurable: true });
  }
  return root;
}
