import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ClusterPlace } from './place.ts';

export const DNS_IMAGE = 'localhost/coredns:test';

const LABELS = { 'k8s-app': 'kube-dns' } as const;
const METADATA = { name: 'coredns', namespace: 'kube-system' } as const;

/** Names of the world, such as those of LLM providers, and where they lead inside the cluster. */
export type HostAddresses = Readonly<Record<string, string>>;

/** Sets the names that the cluster's DNS knows beside its own; it reads them again within a fraction of a second. */
export async function setHosts(place: ClusterPlace, hosts: HostAddresses): Promise<void> {
  const file = join(place.state, 'dns/hosts');
  await mkdir(join(place.state, 'dns'), { recursive: true });
  const lines = Object.entries(hosts).map(([name, address]) => `${address} ${name}\n`);
  await writeFile(`${file}.making`, lines.join(''));
  await rename(`${file}.making`, file);
}

/** @returns the names that are set */
export async function readHosts(place: ClusterPlace): Promise<HostAddresses> {
  const lines = (await readFile(join(place.state, 'dns/hosts'), 'utf8')).split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [address = '', name = ''] = line.split(' ');
      return [name, address];
    }),
  );
}

/** Names that nobody set do not exist: a second server says so, because the template plugin comes before the others. */
const COREFILE = `.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
      ttl 5
    }
    hosts /etc/hosts-of-test/hosts {
      ttl 1
      reload 200ms
      fallthrough
    }
    forward . 127.0.0.1:5353
}
.:5353 {
    template ANY ANY {
      rcode NXDOMAIN
    }
}
`;

/** CoreDNS as it stands in a cluster: the objects in kube-system that others look for. */
export function dnsObjects(place: ClusterPlace): string {
  const port = (name: string, protocol: string) => ({ name, port: 53, targetPort: 53, protocol });
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: METADATA },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'system:coredns' },
      rules: [
        { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'system:coredns' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' },
      subjects: [{ kind: 'ServiceAccount', ...METADATA }],
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: METADATA, data: { Corefile: COREFILE } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace: 'kube-system', labels: LABELS },
      spec: { selector: LABELS, clusterIP: place.dnsAddress, ports: [port('dns', 'UDP'), port('dns-tcp', 'TCP')] },
    },
    deployment(place),
  ]
    .map((object) => stringify(object))
    .join('---\n');
}

function deployment(place: ClusterPlace): object {
  const probe = (path: string, port: number) => ({ httpGet: { path, port }, periodSeconds: 1 });
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...METADATA, labels: LABELS },
    spec: {
      replicas: 1,
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: {
          serviceAccountName: 'coredns',
          dnsPolicy: 'Default',
          priorityClassName: 'system-cluster-critical',
          containers: [
            {
              name: 'coredns',
              image: DNS_IMAGE,
              imagePullPolicy: 'Never',
              args: ['-conf', '/etc/coredns/Corefile'],
              readinessProbe: probe('/ready', 8181),
              volumeMounts: [
                { name: 'config', mountPath: '/etc/coredns' },
                { name: 'hosts', mountPath: '/etc/hosts-of-test' },
              ],
            },
          ],
          volumes: [
            { name: 'config', configMap: { name: 'coredns' } },
            { name: 'hosts', hostPath: { path: join(place.state, 'dns'), type: 'Directory' } },
          ],
        },
      },
    },
  };
}
