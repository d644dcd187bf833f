// A release whose controllers run on this machine: the chart's own CRDs, roles, values and webhooks in the cluster, the webhooks'
// Service alone replaced by a URL that points here.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { sleep } from '#controller/cluster/backoff.ts';
import { kubeconfigCredentials } from '#controller/cluster/credentials.ts';
import { parseConfig } from '#controller/config.ts';
import { type Controller, startController } from '#controller/controller.ts';
import { valuesFile } from './helm-command.ts';
import { type KubeAnswer, KubeClient } from './kube-client.ts';
import { applyYaml, kubectl, makeNamespace, PLACE, tryHelm, tryKubectl } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

export type Fields = Record<string, unknown>;

/** One webhook of a configuration. */
export interface Hook extends Fields {
  readonly name: string;
  clientConfig: { url?: string; service?: { path: string }; caBundle?: string };
  namespaceSelector: { matchExpressions?: Fields[] };
}

/** A webhook configuration of the chart. */
export interface HookConfiguration extends Fields {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly webhooks: Hook[];
}

const CHART = new URL('../../charts/lazaret/', import.meta.url).pathname;
const RENDERED = [
  'crds/crds.yaml',
  'policies/policy-parameters.yaml',
  'controller/rbac.yaml',
  'controller/serviceaccount.yaml',
  'controller/configmap.yaml',
  'controller/webhooks.yaml',
];
const HOOKS = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'] as const;
const SERVED = ['egresspolicies', 'policyparameters'];
const DEFINED = [...SERVED, 'provideragreements', 'guardexemptions'];

/** Waits of the controllers are cut to this, ms. */
const LONGEST_SLEEP_MS = 300;

export class HostRelease {
  readonly client = new KubeClient(PLACE.kubeconfig);
  /** For files of the test; gone at the end. */
  readonly folder = mkdtempSync(join(tmpdir(), 'lazaret-release-'));
  readonly name: string;
  readonly namespace: string;
  /** The chart's, as rendered last. */
  webhooks: readonly HookConfiguration[] = [];
  controllers: Controller[] = [];
  /** What the controllers log. */
  lines: Fields[] = [];
  /** How far the controllers' clock is from this machine's, ms. */
  offset = 0;

  private constructor(name: string, namespace: string) {
    this.name = name;
    this.namespace = namespace;
  }

  /** A release of this name in a namespace of its own, with the chart's objects in force. */
  static async make(name: string, values: object = {}): Promise<HostRelease> {
    const release = new HostRelease(name, await makeNamespace());
    await release.configure(values);
    for (const kind of SERVED)
      await waitFor(kind, async () => {
        const path = `/apis/lazaret.dev/v1alpha1/${kind}`;
        return (await release.client.call({ method: 'GET', path })).status === 200 ? true : null;
      });
    await release.#writeKubeconfig();
    return release;
  }

  /** Puts the objects of a chart with these values in force, but for the webhooks. */
  async configure(values: object): Promise<void> {
    const shown = RENDERED.flatMap((file) => ['--show-only', `templates/${file}`]);
    const file = valuesFile(stringify({ evaluation: true, network: { resolvers: ['10.1.0.10'] }, ...values }));
    const rendered = await tryHelm(['template', this.name, CHART, '--namespace', this.namespace, ...file, ...shown]);
    if (rendered.status !== 0) throw new Error(rendered.stderr);
    const objects = parseAllDocuments(rendered.stdout).map((document) => document.toJS() as HookConfiguration);
    const isHooks = ({ kind }: HookConfiguration): boolean => kind.endsWith('WebhookConfiguration');
    this.webhooks = objects.filter(isHooks);
    const others = objects.filter((object) => !isHooks(object));
    await applyYaml(others.map((object) => stringify(object)).join('---\n'));
  }

  /** The controller's own service account: what it may not do by the chart's roles, it cannot do here. */
  async #writeKubeconfig(): Promise<void> {
    const account = `${this.name}-controller`;
    const token = await kubectl(['create', 'token', account, `--namespace=${this.namespace}`, '--duration=2h']);
    const admin = parse(readFileSync(PLACE.kubeconfig, 'utf8')) as { users: { user: Fields }[] };
    for (const one of admin.users) one.user = { token: token.trim() };
    writeFileSync(join(this.folder, 'kubeconfig'), stringify(admin));
  }

  /** One more replica of the controller. */
  async start(environment: Readonly<Record<string, string>> = {}): Promise<Controller> {
    const parsed = parseConfig({
      KUBECONFIG: join(this.folder, 'kubeconfig'),
      LAZARET_NAMESPACE: this.namespace,
      LAZARET_FULLNAME: this.name,
      LAZARET_POD_NAME: `controller-${this.controllers.length}`,
      LAZARET_SERVING_NAMES: PLACE.hostAddress,
      LAZARET_WEBHOOK_LISTEN: '0.0.0.0:0',
      LAZARET_BUNDLE_LISTEN: '127.0.0.1:0',
      LAZARET_OPS: '127.0.0.1:0',
      ...environment,
    });
    if (!parsed.ok) throw new Error(parsed.faults.join('; '));
    const controller = await startController({
      config: parsed.config,
      credentials: kubeconfigCredentials(join(this.folder, 'kubeconfig'), Date.now),
      clock: {
        now: () => Date.now() + this.offset,
        sleep: (ms, signal) => sleep(Math.min(ms, LONGEST_SLEEP_MS), signal),
      },
      random: Math.random,
      log: pino({ level: 'debug' }, { write: (line: string) => void this.lines.push(JSON.parse(line) as Fields) }),
      version: '0.0.0-test',
    });
    this.controllers.push(controller);
    return controller;
  }

  /** Registers the chart's webhooks with a URL of this machine, for the namespaces of the test only. */
  async register(port: number, namespaces: Fields, change: (hook: Hook) => void = () => undefined): Promise<void> {
    for (const configuration of this.webhooks) {
      const copy = structuredClone(configuration);
      for (const hook of copy.webhooks) {
        hook.clientConfig = { url: `https://${PLACE.hostAddress}:${port}${hook.clientConfig.service?.path ?? ''}` };
        if (!hook.name.startsWith('resources'))
          hook.namespaceSelector = {
            matchExpressions: [...(hook.namespaceSelector.matchExpressions ?? []), namespaces],
          };
        change(hook);
      }
      await applyYaml(stringify(copy));
    }
  }

  /** The registered webhooks as they are now. */
  async hooks(): Promise<readonly Hook[]> {
    const path = (kind: string): string => `/apis/admissionregistration.k8s.io/v1/${kind}/${this.name}`;
    const found = await Promise.all(HOOKS.map((kind) => this.client.call({ method: 'GET', path: path(kind) })));
    return found.flatMap(({ body }) => (body.webhooks ?? []) as Hook[]);
  }

  async removeHooks(...others: readonly string[]): Promise<void> {
    for (const kind of HOOKS)
      for (const name of [this.name, ...others])
        await this.client.call({ method: 'DELETE', path: `/apis/admissionregistration.k8s.io/v1/${kind}/${name}` });
  }

  /** Ends the controllers, and forgets what they said. */
  async stop(): Promise<void> {
    await Promise.all(this.controllers.map((controller) => controller.close()));
    this.controllers = [];
    this.lines = [];
    this.offset = 0;
  }

  /** Waits until a controller is ready and had no fault that it does not try again. */
  async settle(controller: Controller): Promise<void> {
    await waitFor('the controller', async () => {
      const faults = this.lines.filter(({ level }) => level === 'error' || level === 'fatal');
      const missing = controller.unready();
      if (faults.length > 0 || missing.length > 0) throw new Error(JSON.stringify([missing, faults]));
      return true;
    });
  }

  /** Asks for a pod, under a name that the API server makes. */
  create(namespace: string, pod: object, dryRun = false): Promise<KubeAnswer> {
    const copy = structuredClone(pod) as { metadata?: Fields };
    copy.metadata = { ...copy.metadata, namespace, name: undefined, generateName: 'app-' };
    const path = `/api/v1/namespaces/${namespace}/pods${dryRun ? '?dryRun=All' : ''}`;
    return this.client.call({ method: 'POST', path, body: copy });
  }

  /** Leaves the cluster without anything of the release. */
  async end(...namespaces: readonly string[]): Promise<void> {
    await this.removeHooks();
    const account = `${this.name}-controller`;
    for (const kind of ['clusterrole', 'clusterrolebinding'])
      await tryKubectl(['delete', kind, account, '--ignore-not-found']);
    const selector = `--selector=app.kubernetes.io/instance=${this.name}`;
    await tryKubectl(['delete', 'role,rolebinding', '--namespace=kube-system', selector]);
    for (const namespace of [...namespaces, this.namespace])
      await tryKubectl(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found']);
    const definitions = DEFINED.map((kind) => `${kind}.lazaret.dev`);
    await tryKubectl(['delete', 'crd', ...definitions, '--ignore-not-found', '--timeout=60s']);
    this.client.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** Whether a pod has our two containers in front. */
export function hasGuard(pod: Readonly<Fields>): boolean {
  const { initContainers = [] } = (pod['spec'] ?? {}) as { initContainers?: { name: string }[] };
  return initContainers[0]?.name === 'lazaret-init' && initContainers[1]?.name === 'lazaret-sidecar';
}
