import { type ContainerFacts, fieldOf, type PodFacts } from '../pod-facts.ts';
import type { Variable } from '../pod.ts';
import type { Hit, Rule } from '../rule.ts';

/** Container names of service meshes, by mesh. */
const MESHES: Readonly<Record<string, readonly string[]>> = {
  istio: ['istio-proxy', 'istio-init', 'istio-validation', 'enable-core-dump'],
  linkerd: ['linkerd-proxy', 'linkerd-init', 'linkerd-network-validator', 'linkerd-debug'],
  kuma: ['kuma-sidecar', 'kuma-init', 'kuma-validation'],
  consul: ['consul-dataplane', 'consul-connect-inject-init', 'consul-sidecar', 'envoy-sidecar'],
  osm: ['osm-init'],
};
const AMBIENT_LABEL = 'istio.io/dataplane-mode';

const PROXY_VARIABLES = /^(https?|all|ftp|socks5?|grpc|wss?|global_agent_https?|npm_config|npm_config_https?)_proxy$/i;

/** Where names and packets go. */
export const NETWORK_RULES: readonly Rule[] = [
  {
    id: 'B-19',
    verdict: 'deny',
    exemptible: true,
    title: 'Two service meshes in one pod',
    why: 'each of them redirects the pod’s traffic, and which one wins is not known.',
    instead: 'Keep one mesh, and exclude the pod from the other.',
    check: (facts) => {
      const found = facts.containers.flatMap((item) =>
        meshOf(item) === null ? [] : [{ mesh: meshOf(item), field: `${item.field}.name` }],
      );
      return found.filter(({ mesh }) => mesh !== found[0]?.mesh).map(({ field }) => ({ field }));
    },
  },
  {
    id: 'B-23',
    verdict: 'change',
    exemptible: false,
    title: 'QUIC, DNS over HTTPS, IPv6, other ports and protocols',
    why: 'a channel that the guard does not read could carry identifiers.',
    instead:
      'Nothing has to be written: the packet rules redirect all TCP of both families and refuse UDP but for DNS to the configured resolvers.',
  },
  {
    id: 'B-28',
    verdict: 'deny',
    exemptible: true,
    title: 'Own name resolution: dnsPolicy None, own nameservers, hostAliases',
    why: 'the application would see other addresses under a name than the guard does.',
    instead: 'Remove it, or have it listed in the chart’s admission.nameservers or admission.hostAliases.',
    check: (facts) => [...nameserverHits(facts), ...aliasHits(facts)],
  },
  {
    id: 'B-37',
    verdict: 'deny',
    exemptible: true,
    title: 'A mesh proxy that the chart does not register',
    why: 'a mesh redirects the same traffic, and only registered meshes were tested beside the guard.',
    instead: 'Exclude the pod from the mesh, or have its container names listed in the chart’s admission.mesh.',
    check: (facts) => [
      ...facts.containers.flatMap((item) =>
        meshOf(item) !== null && !isRegistered(facts, item.container.name) ? [{ field: `${item.field}.name` }] : [],
      ),
      ...ambientHits(facts),
    ],
  },
  {
    id: 'B-38',
    verdict: 'deny',
    exemptible: true,
    title: 'HTTP_PROXY and its kin',
    why: 'a proxy stands between the guard and the destination, so that it cannot judge where a request goes.',
    instead:
      'Remove the variable: the guard itself can go out through a proxy (the chart’s egress.proxy); a proxy that applications may name stands in admission.proxies.',
    check: (facts) =>
      facts.containers.flatMap(({ field, container }) =>
        (container.env ?? []).flatMap((variable, i) =>
          namesForeignProxy(facts, variable) ? [{ field: `${field}.env[${i}]` }] : [],
        ),
      ),
  },
];

function meshOf({ container }: ContainerFacts): string | null {
  const name = container.name ?? '';
  return Object.keys(MESHES).find((mesh) => MESHES[mesh]?.includes(name)) ?? null;
}

function isRegistered({ values }: PodFacts, name: unknown): boolean {
  return typeof name === 'string' && values.admission.mesh.includes(name);
}

/** Istio's ambient mode redirects in the pod's network without a container in the pod. */
function ambientHits(facts: PodFacts): readonly Hit[] {
  const ofPod = facts.pod.metadata?.labels?.[AMBIENT_LABEL];
  const effective = ofPod ?? facts.namespace.labels[AMBIENT_LABEL];
  if (effective !== 'ambient' || isRegistered(facts, 'istio-ambient')) return [];
  return [
    {
      field:
        ofPod === 'ambient'
          ? fieldOf(facts, `metadata.labels["${AMBIENT_LABEL}"]`)
          : `namespace.metadata.labels["${AMBIENT_LABEL}"]`,
    },
  ];
}

function nameserverHits(facts: PodFacts): readonly Hit[] {
  const { spec } = facts.pod;
  const servers = spec?.dnsConfig?.nameservers ?? [];
  const foreign = servers.flatMap((server, i) =>
    facts.values.admission.nameservers.includes(server)
      ? []
      : [{ field: fieldOf(facts, `spec.dnsConfig.nameservers[${i}]`) }],
  );
  const ownPolicy = spec?.dnsPolicy === 'None' && (foreign.length > 0 || servers.length === 0);
  return ownPolicy ? [{ field: fieldOf(facts, 'spec.dnsPolicy') }, ...foreign] : foreign;
}

function aliasHits(facts: PodFacts): readonly Hit[] {
  const listed = facts.values.admission.hostAliases.map((name) => name.toLowerCase());
  return (facts.pod.spec?.hostAliases ?? []).flatMap(({ hostnames }, i) =>
    (hostnames ?? []).every((name) => listed.includes(name.toLowerCase())) && (hostnames ?? []).length > 0
      ? []
      : [{ field: fieldOf(facts, `spec.hostAliases[${i}]`) }],
  );
}

/** `NO_PROXY` names no proxy. An empty value switches a proxy off. A value from elsewhere cannot be judged. */
function namesForeignProxy({ values }: PodFacts, variable: Variable): boolean {
  if (!PROXY_VARIABLES.test(variable.name ?? '')) return false;
  if (variable.valueFrom !== null && variable.valueFrom !== undefined) return true;
  const value = variable.value ?? '';
  return value !== '' && !values.admission.proxies.some((proxy) => proxyPlace(proxy) === proxyPlace(value));
}

/** Scheme, host and port: two spellings of one proxy are one. @returns null for what is no URL */
function proxyPlace(text: string): string | null {
  const url = URL.parse(text);
  return url === null || url.host === '' ? null : `${url.protocol}//${url.host}`;
}
