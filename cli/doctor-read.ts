import { z } from 'zod';
import { parseJson } from '#contract/chain-signature.ts';
import { LIMIT } from '#contract/limit.ts';
import { POD_PORT } from '#contract/pod-paths.ts';
import { podNameOf } from '#contract/pod-proof.ts';
import type { ReadOnlyApi } from './doctor-api.ts';
import {
  type Cluster,
  type ClusterSnapshot,
  type Listing,
  QUESTIONS,
  type Question,
  readCluster,
} from './doctor-cluster.ts';
import { isSidecarReady, livePods, sidecarImage } from './doctor-guard.ts';
import { UsageError } from './io.ts';

const PAGE = 500;
/** Guards whose metrics are read one by one. */
const READ_GUARDS = 50;
/** Of controller and collector. */
const OPS_PORT = 9_090;
const listSchema = z.looseObject({
  items: z.array(z.unknown()),
  metadata: z.looseObject({ continue: z.string().optional() }).optional(),
});
const namedListSchema = z.looseObject({
  items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })),
});
const versionSchema = z.looseObject({ gitVersion: z.string() });
/** Names and labels without content: private keys stay where they are. */
const NAMES_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** Where each question is asked. @param namespace the release's */
function pathsOf(namespace: string): Readonly<Record<Question, string>> {
  const own = encodeURIComponent(namespace);
  const registration = '/apis/admissionregistration.k8s.io/v1';
  return {
    namespaces: '/api/v1/namespaces',
    pods: '/api/v1/pods',
    nodes: '/api/v1/nodes',
    deployments: `/apis/apps/v1/namespaces/${own}/deployments`,
    statefulSets: `/apis/apps/v1/namespaces/${own}/statefulsets`,
    secrets: `/api/v1/namespaces/${own}/secrets`,
    configMaps: `/api/v1/namespaces/${own}/configmaps`,
    mutatingWebhooks: `${registration}/mutatingwebhookconfigurations`,
    validatingWebhooks: `${registration}/validatingwebhookconfigurations`,
    admissionPolicies: `${registration}/validatingadmissionpolicies`,
    admissionPolicyBindings: `${registration}/validatingadmissionpolicybindings`,
    policyParameters: `/apis/lazaret.dev/v1alpha1/namespaces/${own}/policyparameters`,
    agreements: '/apis/lazaret.dev/v1alpha1/provideragreements',
    exemptions: '/apis/lazaret.dev/v1alpha1/guardexemptions',
  };
}

/**
 * Looks at a cluster once.
 * @param release the release's namespace, and its FULLNAME where it is known; else it is found by the controller's labels
 * @throws UsageError when the API server does not answer, or not to this account
 */
export async function takeSnapshot(
  api: ReadOnlyApi,
  release: { readonly namespace: string; readonly name: string | undefined },
): Promise<ClusterSnapshot> {
  const { namespace } = release;
  const version = await readVersion(api);
  const paths = pathsOf(namespace);
  const answers = await Promise.all(
    QUESTIONS.map(async (question) => {
      const accept = question === 'secrets' ? NAMES_ONLY : undefined;
      return [question, await readAll(api, paths[question], accept)] as const;
    }),
  );
  const listings = Object.fromEntries(answers) as Record<Question, Listing>;
  const name = release.name ?? (await findName(api, namespace)) ?? 'lazaret';
  const [controller, collector] = await Promise.all(
    ['controller', 'collector'].map((component) => readMetrics(api, namespace, component)),
  );
  const metrics = { controller: controller ?? null, collector: collector ?? null };
  const snapshot = { namespace, name, version, listings, metrics, guards: new Map<string, string | null>() };
  return { ...snapshot, guards: await readGuards(api, readCluster(snapshot)) };
}

/** The metrics of guards, at most `READ_GUARDS`; whoever has more asks Prometheus. */
async function readGuards(api: ReadOnlyApi, cluster: Cluster): Promise<ReadonlyMap<string, string | null>> {
  const running = livePods(cluster).filter((pod) => sidecarImage(pod) !== null && pod.status.phase === 'Running');
  const chosen = running
    .toSorted((left, right) => Number(isSidecarReady(left)) - Number(isSidecarReady(right)))
    .slice(0, READ_GUARDS);
  const read = await Promise.all(
    chosen.map(async ({ metadata }): Promise<[string, string | null]> => {
      const { namespace, name } = metadata;
      return [podNameOf(metadata), await readPodMetrics(api, { namespace, name, port: POD_PORT.ops })];
    }),
  );
  return new Map(read);
}

async function readVersion(api: ReadOnlyApi): Promise<string> {
  const { status, text } = await api.get('/version');
  const parsed = versionSchema.safeParse(parseJson(text));
  if (status === 401) throw new UsageError('the API server does not know this account: log in as for kubectl');
  if (!parsed.success) throw new UsageError('this is no Kubernetes API server: name another kubeconfig in KUBECONFIG');
  return parsed.data.gitVersion;
}

async function readAll(api: ReadOnlyApi, path: string, accept?: string): Promise<Listing> {
  const objects: unknown[] = [];
  for (let next = ''; ; ) {
    const { status, text } = await api.get(`${path}?limit=${PAGE}${next}`, accept);
    if (status === 404) return { kind: 'absent' };
    const page = listSchema.safeParse(parseJson(text));
    if (status !== 200 || !page.success) return { kind: 'forbidden' };
    objects.push(...page.data.items);
    if (objects.length > LIMIT.doctorObjects)
      throw new UsageError(
        `the cluster has more than ${LIMIT.doctorObjects} objects of one kind: ask Prometheus instead`,
      );
    const token = page.data.metadata?.continue ?? '';
    if (token === '') return { kind: 'objects', objects };
    next = `&continue=${encodeURIComponent(token)}`;
  }
}

/** FULLNAME, by the labels that the chart gives to its controller. */
async function findName(api: ReadOnlyApi, namespace: string): Promise<string | null> {
  const selector = encodeURIComponent('app.kubernetes.io/part-of=lazaret,app.kubernetes.io/component=controller');
  const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/deployments?labelSelector=${selector}`;
  const names = namesOf((await api.get(path)).text);
  return names.find((name) => name.endsWith('-controller'))?.slice(0, -'-controller'.length) ?? null;
}

/** The metrics of every ready pod of a component, one text after the other; null when none could be read. */
async function readMetrics(api: ReadOnlyApi, namespace: string, component: string): Promise<string | null> {
  const own = encodeURIComponent(namespace);
  const selector = encodeURIComponent(`app.kubernetes.io/name=lazaret,app.kubernetes.io/component=${component}`);
  const pods = namesOf(
    (await api.get(`/api/v1/namespaces/${own}/pods?labelSelector=${selector}&fieldSelector=status.phase%3DRunning`))
      .text,
  );
  const texts = await Promise.all(pods.map((name) => readPodMetrics(api, { namespace, name, port: OPS_PORT })));
  const read = texts.filter((text) => text !== null);
  return read.length === 0 ? null : read.join('\n');
}

async function readPodMetrics(
  api: ReadOnlyApi,
  pod: { readonly namespace: string; readonly name: string; readonly port: number },
): Promise<string | null> {
  const { namespace, name, port } = pod;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}:${port}/proxy/metrics`;
  const { status, text } = await api.get(path, 'text/plain').catch(() => ({ status: 0, text: '' }));
  return status === 200 ? text : null;
}

function namesOf(text: string): readonly string[] {
  const parsed = namedListSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data.items.map(({ metadata }) => metadata.name) : [];
}
