import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { VALUES } from '#contract/policy-schema.ts';
import { parseAdmissionValues } from '#controller/admission/values.ts';
import { CHART } from '#test/chart/chart-files.ts';
import {
  CI_VALUES,
  ciValues,
  HELMS,
  KUBE_VERSION,
  renderChart,
  type RenderedObject,
  renderText,
  tryHelm,
} from './helm-command.ts';

interface Container {
  readonly image: string;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly resources: { readonly requests: object; readonly limits: object };
}

interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly enableServiceLinks: boolean;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly containers: readonly Container[];
}

interface Hook {
  readonly name: string;
  readonly clientConfig: Readonly<Record<string, unknown>>;
  readonly namespaceSelector: { readonly matchExpressions?: readonly Readonly<Record<string, unknown>>[] };
  readonly objectSelector: object;
  readonly matchPolicy: string;
  readonly reinvocationPolicy?: string;
  readonly matchConditions?: readonly object[];
  readonly sideEffects: string;
  readonly failurePolicy: string;
  readonly timeoutSeconds: number;
}

const SYSTEM = ['kube-system', 'kube-public', 'kube-node-lease', 'lazaret'];

describe.each(HELMS)('%s', (helm) => {
  it.each([...CI_VALUES, 'ha'])('renders the values "%s" twice to the same bytes, and lints them', async (name) => {
    const args = valuesOf(name);
    const [first, second] = await Promise.all([renderText(helm, args), renderText(helm, args)]);
    expect(hash(first)).toBe(hash(second));
    expect(first).not.toMatch(/PRIVATE KEY/);
    // `helm lint` cannot be told of further APIs, and warns where values need them.
    if (name === 'cert-manager' || name === 'full') return;
    const lint = await tryHelm(helm, ['lint', '--strict', CHART, ...KUBE_VERSION, ...args]);
    expect(lint.stdout + lint.stderr).toContain('0 chart(s) failed');
    expect(lint.stdout + lint.stderr).not.toMatch(/\[(WARNING|ERROR)\]/);
  });

  it('renders the same objects as the other Helm', async () => {
    const [ours, other] = await Promise.all(HELMS.map((one) => renderChart(one, ciValues('full'))));
    expect(sorted(ours ?? [])).toEqual(sorted(other ?? []));
    expect(helm).toMatch(/^helm/);
  });
});

describe.each(CI_VALUES)('the values "%s"', (name) => {
  it('give a document that admission and policy can read', async () => {
    const document = documentOf(await renderChart('helm', ciValues(name)));
    expect(parseAdmissionValues(document)).toMatchObject({ ok: true });
    const { egress, network, policy } = document;
    const { clusterCIDRs, resolvers } = network;
    const read = VALUES.safeParse({
      egress: { destinations: egress.destinations },
      network: resolvers === undefined ? { clusterCIDRs } : { clusterCIDRs, resolvers },
      policy,
    });
    expect(read.error?.issues ?? []).toEqual([]);
  });

  it('never put the release or the system under a webhook', async () => {
    const hooks = hooksOf(await renderChart('helm', ciValues(name)));
    const reviewing = hooks.filter(({ name }) => name !== 'resources.lazaret.dev');
    expect(reviewing).toHaveLength(7);
    for (const { namespaceSelector, name } of reviewing) {
      const excluded = namespaceSelector.matchExpressions?.find(({ key }) => key === 'kubernetes.io/metadata.name');
      expect(excluded, name).toEqual({ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: SYSTEM });
    }
  });

  it('keep every pod within Pod Security "restricted"', async () => {
    const pods = podSpecs(await renderChart('helm', ciValues(name)));
    expect(pods).toHaveLength(3);
    for (const pod of pods) {
      expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      for (const { securityContext, resources } of pod.containers) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          privileged: false,
          readOnlyRootFilesystem: true,
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        });
        expect(Object.keys(resources).toSorted()).toEqual(['limits', 'requests']);
      }
    }
  });

  it('give no right over every name, verb or group, and none to read Secrets of other namespaces', async () => {
    const roles = (await renderChart('helm', ciValues(name))).filter(({ kind }) => /^(Cluster)?Role$/.test(kind));
    for (const role of roles) {
      for (const rule of role.rules as readonly Readonly<Record<string, readonly string[]>>[]) {
        expect(JSON.stringify(rule)).not.toContain('*');
        if (!rule.resources?.includes('secrets')) continue;
        expect(role.kind).toBe('Role');
        expect(rule.verbs?.join() === 'create' || (rule.resourceNames?.length ?? 0) > 0).toBe(true);
        expect(rule.verbs).not.toContain('list');
      }
    }
    const collector = roles.filter(({ metadata }) => metadata.name.endsWith('-collector'));
    expect(collector.map(({ rules }) => rules)).toEqual([
      [{ apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] }],
    ]);
  });
});

it('lists are mounted into the controller, read-only, and into nothing else', async () => {
  const text = await renderText('helm', ciValues('full'));
  const naming = text.split(/^---$/m).filter((object) => object.includes('lazaret-lists'));
  expect(naming).toHaveLength(1);
  expect(naming[0]).toMatch(/^kind: Deployment$/m);
  for (const [secret, at] of [
    ['lazaret-lists', 0],
    ['lazaret-lists.more', 1],
  ] as const) {
    expect(naming[0]).toContain(`{name: lists-${at}, mountPath: "/etc/lazaret/lists/${secret}", readOnly: true}`);
    expect(naming[0]).toContain(`secret: {secretName: "${secret}", defaultMode: 0440}`);
  }
});

it('only pods of labelled namespaces wait for the webhooks, and a misspelt label guards', async () => {
  const hooks = hooksOf(await renderChart('helm', ciValues('default')));
  const scopes = hooks.map(({ name, failurePolicy, timeoutSeconds, namespaceSelector, objectSelector }) => ({
    name,
    failurePolicy,
    timeoutSeconds,
    guard: namespaceSelector.matchExpressions?.filter(({ key }) => key === 'lazaret.dev/guard') ?? [],
    objectSelector,
  }));
  const exists = { key: 'lazaret.dev/guard', operator: 'Exists' };
  const notLabelled = { key: 'lazaret.dev/guard', operator: 'NotIn', values: ['labelled'] };
  const labelled = { key: 'lazaret.dev/guard', operator: 'In', values: ['labelled'] };
  const phi = { matchExpressions: [{ key: 'lazaret.dev/phi', operator: 'Exists' }] };
  const noPhi = { matchExpressions: [{ key: 'lazaret.dev/phi', operator: 'DoesNotExist' }] };
  const firm = { failurePolicy: 'Fail', timeoutSeconds: 5 };
  const pods = [
    { name: 'all.pods.lazaret.dev', ...firm, guard: [exists, notLabelled], objectSelector: {} },
    { name: 'labelled.pods.lazaret.dev', ...firm, guard: [labelled], objectSelector: phi },
    { name: 'copied.pods.lazaret.dev', ...firm, guard: [labelled], objectSelector: noPhi },
  ];
  expect(scopes).toEqual([
    ...pods,
    ...pods,
    { name: 'resources.lazaret.dev', ...firm, guard: [], objectSelector: {} },
    { name: 'templates.lazaret.dev', failurePolicy: 'Ignore', timeoutSeconds: 2, guard: [exists], objectSelector: {} },
  ]);
  for (const { matchPolicy, sideEffects } of hooks)
    expect({ matchPolicy, sideEffects }).toEqual({ matchPolicy: 'Equivalent', sideEffects: 'None' });
  expect(hooks.map(({ reinvocationPolicy }) => reinvocationPolicy)).toEqual([
    ...Array.from({ length: 3 }, () => 'IfNeeded'),
    ...Array.from({ length: 5 }, () => undefined),
  ]);
  // Without this condition every pod of such a namespace would wait for us.
  for (const { name, matchConditions } of hooks)
    expect({ name, conditions: matchConditions?.length ?? 0 }).toEqual({
      name,
      conditions: name === 'copied.pods.lazaret.dev' ? 1 : 0,
    });
});

it('certificates of the cluster’s own making leave caBundle to the controller; others bring it', async () => {
  const bundles = async (name: string) =>
    hooksOf(await renderChart('helm', ciValues(name))).map(({ clientConfig }) => clientConfig.caBundle);
  expect(new Set(await bundles('default'))).toEqual(new Set([undefined]));
  expect(new Set(await bundles('cert-manager'))).toEqual(new Set([undefined]));
  expect((await bundles('existing-secret')).map((text) => atob(String(text)).slice(0, 27))).toEqual(
    Array.from({ length: 8 }, () => '-----BEGIN CERTIFICATE-----'),
  );
  const annotated = (await renderChart('helm', ciValues('cert-manager'))).filter(
    ({ metadata }) => metadata.annotations?.['cert-manager.io/inject-ca-from'] === 'lazaret/lazaret-controller',
  );
  expect(annotated.map(({ kind }) => kind).toSorted()).toEqual([
    'MutatingWebhookConfiguration',
    'ValidatingWebhookConfiguration',
  ]);
});

it('evidence outlives the release: the volume is retained, the resources are kept', async () => {
  const objects = await renderChart('helm', ciValues('default'));
  const collector = objects.find(({ kind }) => kind === 'StatefulSet');
  expect(collector?.spec).toMatchObject({
    replicas: 1,
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
  });
  const kept = objects.filter(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy'] === 'keep');
  expect(kept.map(({ metadata }) => metadata.name).toSorted()).toEqual(
    ['egresspolicies', 'guardexemptions', 'provideragreements'].map((name) => `${name}.lazaret.dev`),
  );
});

it('a changed policy restarts no controller: they watch their configuration', async () => {
  const controllers = await Promise.all(
    [[], ['--set', 'policy.dates=whole']].map(async (args) => {
      const objects = await renderChart('helm', [...ciValues('default'), ...args]);
      return JSON.stringify(objects.find(({ kind }) => kind === 'Deployment'));
    }),
  );
  expect(controllers[0]).toBe(controllers[1]);
});

it('what a user writes is never read as a template', async () => {
  const text = await renderText('helm', ciValues('full'));
  expect(text).toContain("note: '{{ .Release.Name }}'");
  expect(text).toContain("note: '{{ .Values.evaluation }}'");
});

it('every object carries the release’s labels, and selectors hold none that changes', async () => {
  const objects = await renderChart('helm', [...ciValues('default'), '--set', 'commonLabels.team=x']);
  for (const { kind, metadata } of objects) {
    expect(metadata.labels, `${kind} ${metadata.name}`).toMatchObject({
      'app.kubernetes.io/instance': 'lazaret',
      'app.kubernetes.io/managed-by': 'Helm',
      'app.kubernetes.io/version': '0.1.0',
      team: 'x',
    });
  }
  const selectors = objects.flatMap(({ kind, spec }) =>
    kind === 'Deployment' || kind === 'StatefulSet' ? [(spec as { readonly selector: object }).selector] : [],
  );
  expect(selectors).toEqual(
    ['controller', 'collector'].map((component) => ({
      matchLabels: {
        'app.kubernetes.io/name': 'lazaret',
        'app.kubernetes.io/instance': 'lazaret',
        'app.kubernetes.io/component': component,
      },
    })),
  );
});

it('the longest release name gives names that Kubernetes takes', async () => {
  const name = 'r'.repeat(53);
  const { stdout } = await tryHelm('helm', ['template', name, CHART, '--namespace', 'x', ...ciValues('default')]);
  const names = [...stdout.matchAll(/^ {2}name: (\S+)$/gm)].map(([, found]) => found ?? '');
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((found) => found.length > 63)).toEqual([]);
});

function valuesOf(name: string): readonly string[] {
  return name === 'ha' ? ['-f', join(CHART, 'values-ha.yaml'), '--set', 'evaluation=true'] : ciValues(name);
}

interface ChartDocument {
  readonly egress: Readonly<Record<string, unknown>>;
  readonly network: Readonly<Record<string, unknown>>;
  readonly policy: unknown;
}

function documentOf(objects: readonly RenderedObject[]): ChartDocument {
  const map = objects.find(({ kind, data }) => kind === 'ConfigMap' && Object.hasOwn(Object(data), 'values.yaml'));
  return parse(String(Object(map?.data)['values.yaml'])) as ChartDocument;
}

function hooksOf(objects: readonly RenderedObject[]): readonly Hook[] {
  return objects.flatMap(({ kind, webhooks }) =>
    kind.endsWith('WebhookConfiguration') ? (webhooks as readonly Hook[]) : [],
  );
}

function podSpecs(objects: readonly RenderedObject[]): readonly PodSpec[] {
  return objects.flatMap(({ kind, spec }) => {
    if (kind === 'Pod') return [spec as PodSpec];
    const template = (Object(spec) as { readonly template?: { readonly spec: PodSpec } }).template;
    return kind === 'Deployment' || kind === 'StatefulSet' ? [template?.spec as PodSpec] : [];
  });
}

function sorted(objects: readonly RenderedObject[]): readonly string[] {
  return objects.map((object) => JSON.stringify(object)).toSorted();
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
