// Discovery of targets through the API server. Debian builds its Prometheus without `kubernetes_sd_configs`: this serves what that
// would find by `http_sd_configs`, under the same labels, so that monitors choose among all pods and services of the cluster.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { z } from 'zod';
import { KubeClient } from './kube-client.ts';
import { PLACE } from './test-cluster.ts';

/** What is discovered, by the words of Prometheus. */
type DiscoveryRole = 'pod' | 'endpoints';

/** A server that tells Prometheus what there is. */
export interface Discovery {
  /** @param namespaces null for all */
  readonly urlOf: (role: DiscoveryRole, namespaces: readonly string[] | null) => string;
  readonly stop: () => void;
}

const metadata = z.looseObject({
  name: z.string(),
  namespace: z.string(),
  labels: z.record(z.string(), z.string()).default({}),
});
const port = z.looseObject({ name: z.string().default(''), containerPort: z.number() });
const container = z.looseObject({ name: z.string(), ports: z.array(port).default([]) });
const podSchema = z.looseObject({
  metadata,
  spec: z.looseObject({ containers: z.array(container), initContainers: z.array(container).default([]) }),
  status: z.looseObject({ phase: z.string().default(''), podIP: z.string().optional() }),
});
const address = z.looseObject({
  ip: z.string(),
  targetRef: z.looseObject({ kind: z.string(), name: z.string().default('') }).optional(),
});
const subset = z.looseObject({
  addresses: z.array(address).default([]),
  notReadyAddresses: z.array(address).default([]),
  ports: z.array(z.looseObject({ name: z.string().default(''), port: z.number() })).default([]),
});
const endpointsSchema = z.looseObject({ metadata, subsets: z.array(subset).default([]) });
const serviceSchema = z.looseObject({ metadata });
type Pod = z.infer<typeof podSchema>;
type Endpoints = z.infer<typeof endpointsSchema>;
type Labels = Readonly<Record<string, string>>;

/** Targets that share their labels. */
interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Labels;
}

/** Serves the discovery on this machine. */
export async function startDiscovery(): Promise<Discovery> {
  const client = new KubeClient(PLACE.kubeconfig);
  const list = async <T extends z.ZodType>(plural: string, item: T): Promise<readonly z.infer<T>[]> =>
    z.object({ items: z.array(item) }).parse((await client.call({ method: 'GET', path: `/api/v1/${plural}` })).body)
      .items;
  const discover = async (role: string | null): Promise<readonly TargetGroup[]> => {
    const pods = await list('pods', podSchema);
    if (role === 'pod') return pods.flatMap(podTargets);
    const [endpoints, services] = await Promise.all([
      list('endpoints', endpointsSchema),
      list('services', serviceSchema),
    ]);
    return endpoints.flatMap((one) => endpointTargets(one, services, pods));
  };
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const wanted = searchParams.getAll('namespace');
    const isWanted = ({ labels }: TargetGroup): boolean =>
      wanted.length === 0 || wanted.includes(labels['__meta_kubernetes_namespace'] ?? '');
    discover(searchParams.get('role')).then(
      (groups) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(groups.filter(isWanted))),
      // Prometheus then keeps what it knows.
      () => response.writeHead(500).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const origin = `http://127.0.0.1:${bound === null || typeof bound === 'string' ? 0 : bound.port}`;
  return {
    urlOf: (role, namespaces) => {
      const named = (namespaces ?? []).map((name): [string, string] => ['namespace', name]);
      return `${origin}/?${new URLSearchParams([['role', role], ...named]).toString()}`;
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
      client.close();
    },
  };
}

/** A target for each port of each container, init containers too, as Prometheus' role `pod` makes them. */
function podTargets(pod: Pod): readonly TargetGroup[] {
  const { podIP } = pod.status;
  if (podIP === undefined) return [];
  const containers = [...pod.spec.containers, ...pod.spec.initContainers];
  return containers.flatMap(({ name, ports }) =>
    ports.map((port) => ({
      targets: [joinAddress(podIP, port.containerPort)],
      labels: {
        ...podLabels(pod),
        __meta_kubernetes_pod_container_name: name,
        __meta_kubernetes_pod_container_port_name: port.name,
      },
    })),
  );
}

/** A target for each port of each address, ready or not, as Prometheus' role `endpoints` makes them. */
function endpointTargets(
  { metadata, subsets }: Endpoints,
  services: readonly z.infer<typeof serviceSchema>[],
  pods: readonly Pod[],
): readonly TargetGroup[] {
  const isOurs = (other: { readonly name: string; readonly namespace: string }): boolean =>
    other.name === metadata.name && other.namespace === metadata.namespace;
  const service = services.find((each) => isOurs(each.metadata));
  const common = {
    __meta_kubernetes_namespace: metadata.namespace,
    ...(service === undefined ? {} : { __meta_kubernetes_service_name: metadata.name }),
    ...labelsOf('service', service?.metadata.labels ?? {}),
  };
  return subsets.flatMap(({ addresses, notReadyAddresses, ports }) =>
    [...addresses, ...notReadyAddresses].flatMap(({ ip, targetRef }) =>
      ports.map(({ name, port }) => {
        const pod = pods.find(
          (each) => each.metadata.namespace === metadata.namespace && each.metadata.name === targetRef?.name,
        );
        const behind = pod?.spec.containers.find((each) =>
          each.ports.some(({ containerPort }) => containerPort === port),
        );
        return {
          targets: [joinAddress(ip, port)],
          labels: {
            ...common,
            ...(pod === undefined ? {} : podLabels(pod)),
            __meta_kubernetes_endpoint_port_name: name,
            __meta_kubernetes_pod_container_name: behind?.name ?? '',
          },
        };
      }),
    ),
  );
}

function podLabels({ metadata, status }: Pod): Labels {
  return {
    __meta_kubernetes_namespace: metadata.namespace,
    __meta_kubernetes_pod_name: metadata.name,
    __meta_kubernetes_pod_phase: status.phase,
    ...labelsOf('pod', metadata.labels),
  };
}

function labelsOf(role: 'service' | 'pod', labels: Labels): Labels {
  return Object.fromEntries(
    Object.entries(labels).flatMap(([key, value]) => [
      [`__meta_kubernetes_${role}_label_${labelName(key)}`, value],
      [`__meta_kubernetes_${role}_labelpresent_${labelName(key)}`, 'true'],
    ]),
  );
}

/** A key of Kubernetes as Prometheus writes it in a label's name. */
export function labelName(key: string): string {
  return key.replaceAll(/[^a-zA-Z0-9_]/g, '_');
}

function joinAddress(ip: string, port: number): string {
  return `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
}
