import { CONTAINER, VOLUME } from '#contract/labels.ts';
import { POD_PATH, POD_PORT } from '#contract/pod-paths.ts';
import { BUNDLE_FILE, FILES_VARIABLE, POD_DIRECTORY, POD_FILE, TOKEN_FILE } from '#contract/pod-shape.ts';
import type { AuthorOptions } from './author-options.ts';
import type { SidecarIdentity } from './identity.ts';
import type { Container, Mount, Variable } from './pod.ts';
import type { AdmissionSettings } from './settings.ts';

/** What our two containers are made of. Nothing in it comes from a container of the author. */
export interface GuardShape {
  readonly settings: AdmissionSettings;
  readonly identity: SidecarIdentity;
  readonly options: AuthorOptions;
}

const TERMINATION = {
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'FallbackToLogsOnError',
} as const;

/**
 * `lazaret-init`: writes the packet rules, makes the pod's authority and the trust files, proves the redirect. It is root
 * with two capabilities and nothing else: NET_ADMIN for the rules, CHOWN to give the authority's files to the sidecar.
 */
export function initContainer({ settings, identity }: GuardShape): Container {
  const { values } = settings;
  return {
    name: CONTAINER.init,
    image: settings.initImage,
    imagePullPolicy: values.init.image.pullPolicy,
    env: initEnvironment(settings, identity),
    resources: values.init.resources,
    volumeMounts: initMounts(settings),
    securityContext: {
      runAsUser: 0,
      runAsGroup: 0,
      runAsNonRoot: false,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'CHOWN'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...TERMINATION,
  };
}

/**
 * `lazaret-sidecar`: a native sidecar (KEP-753), so it starts before every container of the author, which waits for its
 * startup probe, and ends after them. There is no preStop: it would run while the application still sends.
 */
export function sidecarContainer(shape: GuardShape): Container {
  const { settings, identity, options } = shape;
  return {
    name: CONTAINER.sidecar,
    image: settings.sidecarImage,
    imagePullPolicy: settings.values.sidecar.image.pullPolicy,
    restartPolicy: 'Always',
    env: sidecarEnvironment(shape),
    ports: [{ name: 'lazaret-ops', containerPort: POD_PORT.ops, protocol: 'TCP' }],
    resources: options.resources,
    volumeMounts: SIDECAR_MOUNTS,
    startupProbe: probe('/readyz', { periodSeconds: 1, failureThreshold: 120 }),
    livenessProbe: probe('/healthz', { periodSeconds: 10, failureThreshold: 6 }),
    securityContext: {
      runAsUser: identity.uid,
      runAsGroup: identity.gid,
      runAsNonRoot: true,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...TERMINATION,
  };
}

const SIDECAR_MOUNTS: readonly Mount[] = [
  { name: VOLUME.trust, mountPath: POD_PATH.trust, readOnly: true },
  { name: VOLUME.authority, mountPath: POD_PATH.authority, readOnly: true },
  { name: VOLUME.settings, mountPath: POD_DIRECTORY.settings },
  { name: VOLUME.spool, mountPath: POD_PATH.spool },
  { name: VOLUME.token, mountPath: POD_DIRECTORY.token, readOnly: true },
];

function initMounts({ values }: AdmissionSettings): readonly Mount[] {
  return [
    { name: VOLUME.trust, mountPath: POD_PATH.trust },
    { name: VOLUME.authority, mountPath: POD_PATH.authority },
    { name: VOLUME.settings, mountPath: POD_DIRECTORY.settings },
    ...(values.admission.extraRootsConfigMap === null
      ? []
      : [{ name: VOLUME.extraRoots, mountPath: POD_DIRECTORY.extraRoots, readOnly: true }]),
  ];
}

function initEnvironment(settings: AdmissionSettings, { uid, gid }: SidecarIdentity): readonly Variable[] {
  const { network, admission } = settings.values;
  return [
    text('LAZARET_UID', String(uid)),
    text('LAZARET_GID', String(gid)),
    text('LAZARET_CA_DIR', POD_PATH.authority),
    text('LAZARET_TRUST_DIR', POD_PATH.trust),
    text('LAZARET_CONSTRAINTS', settings.constraints.join(',')),
    text('LAZARET_RESOLVERS', network.resolvers.join(',')),
    ...(network.udpAllowed.length === 0 ? [] : [text('LAZARET_UDP_ALLOWED', network.udpAllowed.join(','))]),
    ...(admission.extraRootsConfigMap === null
      ? []
      : [text('LAZARET_EXTRA_ROOTS', `${POD_DIRECTORY.extraRoots}/${admission.extraRootsConfigMap.key}`)]),
    text(FILES_VARIABLE, JSON.stringify(settings.files)),
  ];
}

function sidecarEnvironment({ settings, identity, options }: GuardShape): readonly Variable[] {
  const { values } = settings;
  const file = (name: string) => `${POD_DIRECTORY.settings}/${name}`;
  return [
    text('LAZARET_BUNDLE', BUNDLE_FILE),
    text('LAZARET_BUNDLE_KEY', file(POD_FILE.bundleKeys)),
    text('LAZARET_BUNDLE_URL', values.controller.bundleUrl),
    text('LAZARET_BUNDLE_CA', file(POD_FILE.releaseAuthority)),
    text('LAZARET_CA_DIR', POD_PATH.authority),
    text('LAZARET_RECIPIENTS', file(POD_FILE.recipients)),
    text('LAZARET_SPOOL', POD_PATH.spool),
    text('LAZARET_COLLECTOR', values.collector.url),
    text('LAZARET_COLLECTOR_CA', file(POD_FILE.releaseAuthority)),
    text('LAZARET_ENROL_TOKEN', TOKEN_FILE),
    ...(values.sidecar.upstreamRoots === '' ? [] : [text('LAZARET_UPSTREAM_CA', file(POD_FILE.upstreamRoots))]),
    text('LAZARET_RESOLVERS', values.network.resolvers.join(',')),
    ...(values.egress.proxy === null ? [] : [text('LAZARET_EGRESS_PROXY', values.egress.proxy)]),
    ofPod('LAZARET_POD_NAMESPACE', 'metadata.namespace'),
    ofPod('LAZARET_POD_NAME', 'metadata.name'),
    ofPod('LAZARET_POD_UID', 'metadata.uid'),
    ofPod('LAZARET_SERVICE_ACCOUNT', 'spec.serviceAccountName'),
    ofPod('LAZARET_NODE', 'spec.nodeName'),
    text('LAZARET_CHAIN', identity.chain),
    text('LAZARET_LOG_LEVEL', options.logLevel),
  ];
}

/** Kubernetes expands `$(NAME)` in a value; `$$` is a dollar sign. */
function text(name: string, value: string): Variable {
  return { name, value: value.replaceAll('$', '$$$$') };
}

function ofPod(name: string, fieldPath: string): Variable {
  return { name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } };
}

function probe(path: string, rhythm: { readonly periodSeconds: number; readonly failureThreshold: number }) {
  return { httpGet: { path, port: POD_PORT.ops, scheme: 'HTTP' }, timeoutSeconds: 2, successThreshold: 1, ...rhythm };
}
