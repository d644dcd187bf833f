import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { kubeconfigOf } from './authority.ts';
import type { ClusterPart } from './control-plane.ts';
import { exists } from './image-archive.ts';
import type { ClusterPlace } from './place.ts';
import { NODE_NAME } from './place.ts';

/** Where containerd listens, as its clients inside the cluster's namespaces see it. */
export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';

export const PAUSE_IMAGE = 'localhost/pause:1';

/** The registry's port on the node's address; the machine pushes to it, containerd pulls from it, both without TLS. */
const REGISTRY_PORT = 5000;

/** Folders of built programs. */
export interface NodePrograms {
  readonly kubernetes: string;
  readonly containerd: string;
}

/** Writes the configuration of a node and gives its programs: scheduler, containerd, kubelet, kube-proxy, registry. */
export async function prepareNode(place: ClusterPlace, programs: NodePrograms): Promise<readonly ClusterPart[]> {
  const at = (...path: readonly string[]): string => join(place.state, ...path);
  for (const dir of ['containerd', 'kubelet', 'cni', 'dns', 'registry']) await mkdir(at(dir), { recursive: true });
  await mkdir(at('certs.d', registryOf(place)), { recursive: true });
  await writeFile(at('certs.d', registryOf(place), 'hosts.toml'), `[host."http://${registryOf(place)}"]\n`);
  await writeFile(at('registry.yaml'), registryConfig(place));
  await writeFile(at('containerd.toml'), containerdConfig(place));
  await writeFile(at('cni/10-pods.conflist'), cniConfig(place));
  await writeFile(at('kubelet.yaml'), kubeletConfig(place));
  // kube-proxy ends when its file is written, even with what it holds already.
  if (!(await exists(at('kube-proxy.yaml')))) await writeFile(at('kube-proxy.yaml'), proxyConfig(place));
  await writeFile(at('resolv.conf'), `nameserver ${place.dnsAddress}\n`);
  return [
    {
      name: 'kube-scheduler',
      command: [
        join(programs.kubernetes, 'kube-scheduler'),
        `--kubeconfig=${kubeconfigOf(place, 'scheduler')}`,
        '--leader-elect=false',
      ],
    },
    {
      name: 'containerd',
      path: programs.containerd,
      command: [join(programs.containerd, 'containerd'), `--config=${at('containerd.toml')}`, '--log-level=warn'],
    },
    {
      name: 'kubelet',
      command: [
        join(programs.kubernetes, 'kubelet'),
        `--config=${at('kubelet.yaml')}`,
        `--kubeconfig=${kubeconfigOf(place, 'kubelet')}`,
        `--root-dir=${at('kubelet')}`,
        `--hostname-override=${NODE_NAME}`,
        `--node-ip=${place.nodeAddress}`,
      ],
    },
    { name: 'kube-proxy', command: [join(programs.kubernetes, 'kube-proxy'), `--config=${at('kube-proxy.yaml')}`] },
    { name: 'registry', command: ['docker-registry', 'serve', at('registry.yaml')] },
  ];
}

/** The registry's name in image references. */
export function registryOf(place: ClusterPlace): string {
  return `${place.nodeAddress}:${REGISTRY_PORT}`;
}

function registryConfig(place: ClusterPlace): string {
  return stringify({
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(place.state, 'registry') }, delete: { enabled: true } },
    http: { addr: registryOf(place) },
  });
}

function containerdConfig(place: ClusterPlace): string {
  const runc = `plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc`;
  return `version = 3
root = '${join(place.state, 'containerd')}'
state = '/run/containerd'
disabled_plugins = ['io.containerd.nri.v1.nri', 'io.containerd.tracing.processor.v1.otlp']

[grpc]
address = '${CONTAINERD_SOCKET}'

[plugins.'io.containerd.internal.v1.opt']
path = '/run/containerd/opt'

[plugins.'io.containerd.cri.v1.images']
snapshotter = 'overlayfs'

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '${PAUSE_IMAGE}'

[plugins.'io.containerd.cri.v1.images'.registry]
config_path = '${join(place.state, 'certs.d')}'

[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
disable_apparmor = true
enable_cdi = false

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['/usr/lib/cni']
conf_dir = '${join(place.state, 'cni')}'

[${runc}]
runtime_type = 'io.containerd.runc.v2'

[${runc}.options]
BinaryName = '/usr/sbin/runc'
SystemdCgroup = false
`;
}

/** Point to point: packets between pods are routed, so that a service reaches its pods without br_netfilter. */
function cniConfig(place: ClusterPlace): string {
  return JSON.stringify({
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'ptp',
        mtu: 1500,
        ipam: {
          type: 'host-local',
          dataDir: '/run/cni',
          ranges: [[{ subnet: place.podRange }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });
}

/** For a machine with version 1 of cgroups and without CAP_SYS_RESOURCE; it works on others too. */
function kubeletConfig(place: ClusterPlace): string {
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(place.state, 'pki/ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    address: place.nodeAddress,
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    clusterDomain: 'cluster.local',
    clusterDNS: [place.dnsAddress],
    resolvConf: join(place.state, 'resolv.conf'),
    volumePluginDir: join(place.state, 'kubelet/volume-plugins'),
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${place.cgroup}`,
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    featureGates: { KubeletInUserNamespace: true },
    evictionHard: { 'memory.available': '1%', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    maxPods: 250,
    serializeImagePulls: false,
    // Or a loaded image is pulled again as soon as one with the same content came from the registry.
    imagePullCredentialsVerificationPolicy: 'NeverVerify',
    // Tests wait for what these delay.
    syncFrequency: '5s',
    configMapAndSecretChangeDetectionStrategy: 'Watch',
    shutdownGracePeriod: '0s',
  });
}

function proxyConfig(place: ClusterPlace): string {
  return stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clusterCIDR: place.podRange,
    hostnameOverride: NODE_NAME,
    clientConnection: { kubeconfig: kubeconfigOf(place, 'proxy') },
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    nftables: { minSyncPeriod: '0s' },
  });
}
