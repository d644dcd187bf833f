import { join } from 'node:path';
import { kubeconfigOf } from './authority.ts';
import type { ClusterPlace } from './place.ts';

/** A program of the cluster: its name and its command line. */
export interface ClusterPart {
  readonly name: string;
  readonly command: readonly string[];
  /** Where it finds other programs, before the usual places. */
  readonly path?: string;
}

const ETCD = 'http://127.0.0.1:2379';

/** etcd on memory (nothing of it outlives the cluster), API server, controllers and scheduler. */
export function controlPlaneParts(place: ClusterPlace, folder: string): readonly ClusterPart[] {
  const pki = (name: string): string => join(place.state, 'pki', name);
  return [
    {
      name: 'etcd',
      command: [
        'etcd',
        '--data-dir=/run/etcd',
        '--unsafe-no-fsync',
        `--listen-client-urls=${ETCD}`,
        `--advertise-client-urls=${ETCD}`,
        '--listen-peer-urls=http://127.0.0.1:2380',
        '--initial-advertise-peer-urls=http://127.0.0.1:2380',
        '--initial-cluster=default=http://127.0.0.1:2380',
        '--log-level=warn',
      ],
    },
    { name: 'kube-apiserver', command: apiServer(place, folder, pki) },
    {
      name: 'kube-controller-manager',
      command: [
        join(folder, 'kube-controller-manager'),
        `--kubeconfig=${kubeconfigOf(place, 'controller-manager')}`,
        '--leader-elect=false',
        '--use-service-account-credentials=true',
        `--service-account-private-key-file=${pki('accounts.key')}`,
        `--root-ca-file=${pki('ca.crt')}`,
        `--cluster-signing-cert-file=${pki('ca.crt')}`,
        `--cluster-signing-key-file=${pki('ca.key')}`,
        `--cluster-cidr=${place.podRange}`,
        `--service-cluster-ip-range=${place.serviceRange}`,
        '--concurrent-gc-syncs=4',
        // It compiles every expression of every admission policy for every type it may see, to warn of types in their status: much of
        // all the CPU that the tests take, and no test reads it. Whether the expressions are sound the API server says when it takes them.
        '--controllers=*,-validatingadmissionpolicy-status-controller',
      ],
    },
  ];
}

function apiServer(place: ClusterPlace, folder: string, pki: (name: string) => string): readonly string[] {
  return [
    join(folder, 'kube-apiserver'),
    `--etcd-servers=${ETCD}`,
    `--advertise-address=${place.nodeAddress}`,
    '--secure-port=6443',
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--client-ca-file=${pki('ca.crt')}`,
    `--tls-cert-file=${pki('apiserver.crt')}`,
    `--tls-private-key-file=${pki('apiserver.key')}`,
    `--kubelet-client-certificate=${pki('kubelet-client.crt')}`,
    `--kubelet-client-key=${pki('kubelet-client.key')}`,
    // Otherwise logs and exec look the node's name up in DNS.
    '--kubelet-preferred-address-types=InternalIP',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-signing-key-file=${pki('accounts.key')}`,
    `--service-account-key-file=${pki('accounts.pub')}`,
    `--service-cluster-ip-range=${place.serviceRange}`,
    '--event-ttl=1h',
    '--profiling=false',
  ];
}
