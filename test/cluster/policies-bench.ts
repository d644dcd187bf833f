import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { isJsonObject } from '#controller/admission/json.ts';
import { policyParameters } from '#controller/admission/policy-parameters.ts';
import type { AdmissionSettings } from '#controller/admission/settings.ts';
import { type KubeAnswer, KubeClient, messageOf } from './kube-client.ts';
import { CLIENTS, testPlace } from './place.ts';

const CHART = new URL('../../charts/lazaret/', import.meta.url).pathname;
const KINDS: Readonly<Record<string, string>> = {
  CustomResourceDefinition: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  ValidatingAdmissionPolicy: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
};

const PARAMETERS = '/apis/lazaret.dev/v1alpha1/namespaces/lazaret/policyparameters';

type RawObject = Readonly<Record<string, unknown>> & {
  readonly kind: string;
  readonly metadata: { readonly name: string };
};

/** The chart's policies on a real API server, without any webhook of ours. */
export class PoliciesBench {
  readonly client: KubeClient;
  #installed: readonly RawObject[] = [];
  #namespaces = new Set<string>();

  constructor(kubeconfig: string) {
    this.client = new KubeClient(kubeconfig);
  }

  /** Puts the policies of a chart with these values in force, in place of those before. */
  async install(values: object, settings: AdmissionSettings): Promise<void> {
    await this.namespace('lazaret', {});
    await this.remove();
    this.#installed = [...(await renderPolicies(values)), ...MARKERS];
    for (const object of this.#installed) await this.#create(object);
    await this.namespace('probe', { 'lazaret.dev/guard': 'all' });
    await until(() => this.#isMarked());
    await this.setParameters(policyParameters(settings, {}));
  }

  async remove(): Promise<void> {
    for (const { kind, metadata } of this.#installed)
      await this.client.call({ method: 'DELETE', path: `${KINDS[kind]}/${metadata.name}` });
    this.#installed = [];
    if (this.#namespaces.has('probe')) await until(async () => !(await this.#isMarked()));
  }

  /** Replaces the policies' parameters and waits until the API server has seen them. */
  async setParameters(data: Readonly<Record<string, string>>): Promise<void> {
    const marked = { ...data, 'probe.B-04': `probe=${crypto.randomUUID()}` };
    await until(async () => (await this.#writeParameters(marked)) < 300);
    const [key, value] = marked['probe.B-04'].split('=');
    const labels = { [key ?? '']: value ?? '' };
    const probe = withEscalation({ ...PROBE, metadata: { name: 'probe', labels } });
    await until(async () => {
      const message = messageOf(await this.createPod('probe', probe));
      return message.includes('ADM-19') && !message.includes('B-04');
    });
  }

  /** Takes the policies' parameters away altogether, as if the controller had never run. */
  async removeParameters(): Promise<void> {
    await this.client.call({ method: 'DELETE', path: `${PARAMETERS}/lazaret-exemptions` });
  }

  /** Makes a namespace with exactly these labels, and its service account, whose absence would deny every pod. */
  async namespace(
    name: string,
    labels: Readonly<Record<string, string>>,
    accounts: readonly string[] = [],
  ): Promise<void> {
    if (this.#namespaces.has(name)) return;
    // A namespace of an earlier run may still be on its way out.
    const body = { metadata: { name, labels } };
    await until(
      async () => (await this.client.call({ method: 'POST', path: '/api/v1/namespaces', body })).status === 201,
    );
    await until(async () => {
      const path = `/api/v1/namespaces/${name}/serviceaccounts/default`;
      return (await this.client.call({ method: 'GET', path })).status === 200;
    });
    for (const account of accounts) {
      const path = `/api/v1/namespaces/${name}/serviceaccounts`;
      await this.client.call({ method: 'POST', path, body: { metadata: { name: account } } });
    }
    this.#namespaces.add(name);
  }

  /** Asks whether a pod may be created; nothing is stored. */
  async createPod(namespace: string, pod: unknown, dryRun = true): Promise<KubeAnswer> {
    const path = `/api/v1/namespaces/${namespace}/pods${dryRun ? '?dryRun=All' : ''}`;
    return this.client.call({ method: 'POST', path, body: inNamespace(pod, namespace) });
  }

  async close(): Promise<void> {
    await this.remove();
    for (const name of this.#namespaces)
      await this.client.call({ method: 'DELETE', path: `/api/v1/namespaces/${name}` });
    for (const name of this.#namespaces)
      await until(
        async () => (await this.client.call({ method: 'GET', path: `/api/v1/namespaces/${name}` })).status === 404,
      );
    this.client.close();
  }

  /** Whether the API server knows the marker, and with it all that was made, or taken away, before it. */
  async #isMarked(): Promise<boolean> {
    const path = '/api/v1/namespaces/probe/configmaps?dryRun=All';
    const answer = await this.client.call({ method: 'POST', path, body: { metadata: { name: 'probe' } } });
    return messageOf(answer).includes('the marker is there');
  }

  /** Is refused until the API server serves the kind. */
  async #writeParameters(data: Readonly<Record<string, string>>): Promise<number> {
    const metadata = { name: 'lazaret-exemptions', namespace: 'lazaret' };
    const body = { apiVersion: 'lazaret.dev/v1alpha1', kind: 'PolicyParameters', metadata, data };
    const made = await this.client.call({ method: 'POST', path: PARAMETERS, body });
    if (made.status !== 409) return made.status;
    const path = `${PARAMETERS}/${metadata.name}`;
    const contentType = 'application/json-patch+json';
    const patch = [{ op: 'add', path: '/data', value: data }];
    return (await this.client.call({ method: 'PATCH', path, contentType, body: patch })).status;
  }

  async #create(object: RawObject): Promise<void> {
    const answer = await this.client.call({ method: 'POST', path: KINDS[object.kind] ?? '', body: object });
    if (answer.status !== 201) throw new Error(`${object.kind} ${object.metadata.name}: ${messageOf(answer)}`);
  }
}

/** Made after everything else and taken away after it: the API server takes up policies and bindings in their order. */
const MARKERS: readonly RawObject[] = [
  {
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'policies-marker' },
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'probe' } },
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] }],
      },
      validations: [{ expression: "object.metadata.name != 'probe'", message: 'the marker is there' }],
    },
  },
  {
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'policies-marker' },
    spec: { policyName: 'policies-marker', validationActions: ['Deny'] },
  },
];

const PROBE: { readonly metadata: object; readonly spec: { readonly containers: readonly object[] } } = {
  metadata: { name: 'probe' },
  spec: { containers: [{ name: 'app', image: 'a' }] },
};

function withEscalation(pod: typeof PROBE) {
  const securityContext = { allowPrivilegeEscalation: true };
  return { ...pod, spec: { containers: pod.spec.containers.map((container) => ({ ...container, securityContext })) } };
}

function inNamespace(pod: unknown, namespace: string): unknown {
  if (!isJsonObject(pod)) return pod;
  const metadata = isJsonObject(pod.metadata) ? pod.metadata : {};
  return { apiVersion: 'v1', kind: 'Pod', ...pod, metadata: { ...metadata, namespace } };
}

/** Only the objects that are policies or belong to them. */
async function renderPolicies(values: object): Promise<readonly RawObject[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-policies-'));
  try {
    const file = join(folder, 'values.json');
    await writeFile(file, JSON.stringify({ evaluation: true, ...values }));
    const { stdout } = await promisify(execFile)(
      join(CLIENTS, 'helm'),
      ['template', 'lazaret', CHART, '-n', 'lazaret', '--values', file],
      { maxBuffer: 32 * 1024 * 1024 },
    );
    return parseAllDocuments(stdout)
      .map((document): unknown => document.toJS())
      .filter((object): object is RawObject => isPolicyObject(object));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function isPolicyObject(object: unknown): boolean {
  if (!isJsonObject(object) || !isJsonObject(object.metadata)) return false;
  return (
    String(object.kind).startsWith('ValidatingAdmission') || object.metadata.name === 'policyparameters.lazaret.dev'
  );
}

/** Waits until something is so; every try is a request, and the API server takes up a policy within a second or two. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 90_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it did not come to be within 90 seconds');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The kubeconfig of the running test cluster. */
export function kubeconfigOfTests(): string {
  return testPlace().kubeconfig;
}
