import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { podEnvironment } from '#contract/pod-environment.ts';
import { POD_PATH, trustPaths } from '#contract/pod-paths.ts';
import { findBypasses, RULES } from '#controller/admission/bypass-rules.ts';
import { readIdentity } from '#controller/admission/is-guarded.ts';
import type { Container, Pod } from '#controller/admission/pod.ts';
import { listContainers } from '#controller/admission/pod-facts.ts';
import { reviewAdmission, reviewOutcome } from '#controller/admission/review.ts';
import { findConnection, findNamespaceChanges, findPodChanges } from '#controller/admission/running-pod.ts';
import {
  admit,
  applyPatch,
  fieldsOf,
  makeContext,
  makeDebugReview,
  makeExemption,
  makePod,
  makeReview,
  makeSettings,
  messageOf,
  patchOf,
  submit,
  warningsOf,
} from './fixture.ts';

type Fields = Readonly<Record<string, unknown>>;
const LISTS = ['initContainers', 'containers'] as const;

/** What a pod is denied for, by rule and field. */
const faults = (spec: Fields = {}, app: Fields = {}, world = {}) => fieldsOf(submit(makePod(spec, app), world));
const capabilities = (...add: readonly string[]) => ({ securityContext: { capabilities: { add } } });

/** Submits a pod with a container of a list; ephemeral ones arrive by their own door. */
function faultsIn(list: string, fields: Fields): readonly string[] {
  if (list !== 'ephemeralContainers') return faults({ [list]: [{ name: 'x', image: 'x', ...fields }] });
  const pod = admit(makePod());
  const debug = { ...pod, spec: { ...pod.spec, ephemeralContainers: [{ name: 'x', image: 'x', ...fields }] } };
  return fieldsOf(reviewAdmission(makeDebugReview(debug, pod), makeContext()));
}
const EVERY_LIST = [...LISTS, 'ephemeralContainers'];

/** Findings in a guarded pod to which somebody added something after us. */
function laterFaults(change: (pod: Pod, uid: number, gid: number) => Fields): readonly string[] {
  const pod = admit(makePod());
  const identity = readIdentity(pod);
  if (identity === null) throw new Error('no identity');
  const changed = { ...pod, spec: { ...pod.spec, ...change(pod, identity.uid, identity.gid) } } as Pod;
  const { settings, namespace } = makeContext();
  return findBypasses({
    pod: changed,
    prefix: '',
    containers: listContainers(changed, ''),
    namespace,
    values: settings.values,
    identity,
  }).map(({ id, field }) => `${id} ${field}`);
}

describe('becoming the guard', () => {
  it('B-01 the sidecar’s uid is denied at pod level, in every list and in Windows options', () => {
    expect(laterFaults((_, uid) => ({ securityContext: { runAsUser: uid } }))).toEqual([
      'B-01 spec.securityContext.runAsUser',
    ]);
    expect(
      laterFaults((pod, uid) => ({
        containers: [{ ...pod.spec?.containers?.[0], securityContext: { runAsUser: uid } }],
      })),
    ).toEqual(['B-01 spec.containers[0].securityContext.runAsUser']);
    expect(
      laterFaults((pod, uid) => ({
        initContainers: [...(pod.spec?.initContainers ?? []), { name: 'x', securityContext: { runAsUser: uid } }],
      })),
    ).toEqual(['B-01 spec.initContainers[2].securityContext.runAsUser']);
    expect(
      laterFaults((_, uid) => ({ ephemeralContainers: [{ name: 'x', securityContext: { runAsUser: uid } }] })),
    ).toEqual(['B-01 spec.ephemeralContainers[0].securityContext.runAsUser']);
    expect(
      laterFaults((_, uid) => ({ securityContext: { windowsOptions: { runAsUserName: String(uid) } } })),
    ).toContain('B-01 spec.securityContext.windowsOptions.runAsUserName');
  });

  it('B-01 a pod that names a number of our range gets a sidecar of another', () => {
    const first = readIdentity(admit(makePod(), {}, { uid: 'same' }));
    const second = readIdentity(
      admit(makePod({ securityContext: { runAsUser: first?.uid, runAsGroup: first?.gid } }), {}, { uid: 'same' }),
    );
    expect(second?.uid).not.toBe(first?.uid);
    expect(second?.gid).not.toBe(first?.gid);
  });

  it('B-01 a pod that names every number of our range is denied', () => {
    const supplementalGroups = Array.from({ length: 16_384 }, (_, i) => 20_000 + i);
    const more = Array.from({ length: 16_000 }, (_, i) => ({
      name: `c${i}`,
      image: 'x',
      securityContext: { runAsUser: 36_384 + i, runAsGroup: 36_384 + i },
    }));
    const rest = Array.from({ length: 8_000 }, (_, i) => ({
      name: `i${i}`,
      image: 'x',
      securityContext: { runAsUser: 52_384 + i },
    }));
    expect(faults({ securityContext: { supplementalGroups }, containers: more, initContainers: rest })).toEqual([
      'B-01 spec',
    ]);
  });

  it('B-02 the sidecar’s gid is denied as group, file group and supplemental group', () => {
    expect(
      laterFaults((_, __, gid) => ({
        securityContext: { runAsGroup: gid, fsGroup: gid, supplementalGroups: [1, gid] },
      })),
    ).toEqual([
      'B-02 spec.securityContext.runAsGroup',
      'B-02 spec.securityContext.fsGroup',
      'B-02 spec.securityContext.supplementalGroups[1]',
    ]);
    expect(
      laterFaults((pod, _, gid) => ({
        containers: [{ ...pod.spec?.containers?.[0], securityContext: { runAsGroup: gid } }],
      })),
    ).toEqual(['B-02 spec.containers[0].securityContext.runAsGroup']);
  });

  it('B-03 an image without runAsUser is admitted, and its pod’s numbers cannot be foretold without the key', () => {
    const one = readIdentity(admit(makePod(), {}, { uid: 'known' }));
    const other = readIdentity(
      admit(makePod(), { key: new TextEncoder().encode('another key of thirty-two bytes or more') }, { uid: 'known' }),
    );
    expect(one?.uid).not.toBe(other?.uid);
    expect(one?.gid).not.toBe(other?.gid);
  });

  it('B-13 the volume with the key is memory, and mounted in our containers only', () => {
    const pod = admit(makePod({ initContainers: [{ name: 'i', image: 'x' }] }));
    expect(pod.spec?.volumes?.find(({ name }) => name === 'lazaret-ca')).toMatchObject({
      emptyDir: { medium: 'Memory' },
    });
    expect(mountersOf(pod, 'lazaret-ca')).toEqual(['lazaret-init', 'lazaret-sidecar']);
    expect((pod.spec?.volumes ?? []).every((volume) => volume.secret === undefined)).toBe(true);
  });

  it('B-14 the token has its own audience, an end, and is mounted in the sidecar only', () => {
    const pod = admit(makePod());
    expect(mountersOf(pod, 'lazaret-token')).toEqual(['lazaret-sidecar']);
    expect(pod.spec?.volumes?.find(({ name }) => name === 'lazaret-token')?.projected?.sources).toEqual([
      { serviceAccountToken: { audience: 'lazaret.dev', expirationSeconds: 3600, path: 'token' } },
    ]);
  });

  it('B-32 a token with our audience is denied in a volume of another name, in any case', () => {
    const volume = (audience: string) =>
      faults({
        volumes: [
          { name: 't', projected: { sources: [{ configMap: {} }, { serviceAccountToken: { audience, path: 't' } }] } },
        ],
      });
    for (const audience of ['lazaret.dev', 'LAZARET.dev', 'https://lazaret.dev/collector'])
      expect(volume(audience)).toEqual(['B-32 spec.volumes[0].projected.sources[1].serviceAccountToken.audience']);
    expect(volume('vault')).toEqual([]);
  });
});

describe('privileges', () => {
  const spellings = (name: string) => [name, `CAP_${name}`, name.toLowerCase()];

  it('B-04 SETUID, SETGID, SETPCAP, SETFCAP are denied in every list and spelling', () => {
    for (const name of ['SETUID', 'SETGID', 'SETPCAP', 'SETFCAP'].flatMap(spellings)) {
      for (const list of EVERY_LIST)
        expect(faultsIn(list, capabilities(name))).toEqual([
          `B-04 spec.${list}[0].securityContext.capabilities.add[0]`,
        ]);
    }
  });

  it('B-04 privilege escalation is switched off where nothing is said, and denied where it is asked for', () => {
    expect(admit(makePod()).spec?.containers?.[0]?.securityContext?.allowPrivilegeEscalation).toBe(false);
    for (const list of EVERY_LIST)
      expect(faultsIn(list, { securityContext: { allowPrivilegeEscalation: true } })).toEqual([
        `B-04 spec.${list}[0].securityContext.allowPrivilegeEscalation`,
      ]);
  });

  it('B-04 an exemption leaves SETUID to the image, and still takes NET_RAW', () => {
    const reviewed = submit(makePod({}, { securityContext: { allowPrivilegeEscalation: true } }), { exempt: ['B-04'] });
    expect(reviewed.review.response.allowed).toBe(true);
    expect(warningsOf(reviewed)).toEqual(['lazaret: rule B-04 is not kept: GuardExemption old-image accepts the risk']);
    const pod = admit(makePod({}, { securityContext: { allowPrivilegeEscalation: true } }), { exempt: ['B-04'] });
    expect(pod.spec?.containers?.[0]?.securityContext).toEqual({
      allowPrivilegeEscalation: true,
      capabilities: { drop: ['NET_ADMIN', 'NET_RAW'] },
    });
  });

  it('B-04 an exemption of yesterday, of another namespace or of other pods lifts nothing', () => {
    const review = (spec: Fields) => {
      const context = { ...makeContext(), exemptions: [makeExemption(['B-04'], spec)] };
      return fieldsOf(
        reviewAdmission(makeReview(makePod({}, { securityContext: { allowPrivilegeEscalation: true } })), context),
      );
    };
    expect(review({})).toEqual([]);
    const denied = ['B-04 spec.containers[0].securityContext.allowPrivilegeEscalation'];
    expect(review({ until: '2026-03-01' })).toEqual(denied);
    expect(review({ from: '2026-03-03' })).toEqual(denied);
    expect(review({ namespaces: ['other'] })).toEqual(denied);
    expect(review({ podSelector: { matchLabels: { app: 'other' } } })).toEqual(denied);
  });

  it('B-05 privileged and each reaching capability are denied in every list and spelling', () => {
    for (const list of EVERY_LIST)
      expect(faultsIn(list, { securityContext: { privileged: true } })).toEqual([
        `B-05 spec.${list}[0].securityContext.privileged`,
      ]);
    for (const name of [
      'NET_ADMIN',
      'NET_RAW',
      'SYS_ADMIN',
      'SYS_PTRACE',
      'SYS_MODULE',
      'BPF',
      'PERFMON',
      'ALL',
    ].flatMap(spellings)) {
      for (const list of EVERY_LIST)
        expect(faultsIn(list, capabilities(name))).toEqual([
          `B-05 spec.${list}[0].securityContext.capabilities.add[0]`,
        ]);
    }
  });

  it('B-33 any other capability is denied, the harmless ones are not', () => {
    for (const name of ['IPC_LOCK', 'SYS_RESOURCE', 'CAP_MKNOD', 'sys_time', 'NO_SUCH'])
      expect(faults({}, capabilities('CHOWN', name))).toEqual([
        'B-33 spec.containers[0].securityContext.capabilities.add[1]',
      ]);
    for (const name of [
      'AUDIT_WRITE',
      'CHOWN',
      'DAC_OVERRIDE',
      'FOWNER',
      'FSETID',
      'KILL',
      'NET_BIND_SERVICE',
      'SYS_CHROOT',
    ].flatMap(spellings))
      expect(faults({}, capabilities(name))).toEqual([]);
    expect(faults({}, capabilities('IPC_LOCK'), { exempt: ['B-33'] })).toEqual([]);
  });

  it('B-34 a sysctl outside the safe set is denied in both spellings', () => {
    const sysctl = (name: string) => faults({ securityContext: { sysctls: [{ name, value: '1' }] } });
    expect(sysctl('net.ipv4.ip_forward')).toEqual(['B-34 spec.securityContext.sysctls[0]']);
    expect(sysctl('net/ipv4/conf/all/route_localnet')).toEqual(['B-34 spec.securityContext.sysctls[0]']);
    expect(sysctl('net.ipv4.tcp_keepalive_time')).toEqual([]);
  });
});

describe('the node', () => {
  it('B-06 the node’s network is denied', () => {
    expect(faults({ hostNetwork: true })).toEqual(['B-06 spec.hostNetwork']);
    expect(faults({ hostNetwork: false })).toEqual([]);
  });

  it('B-07 each way into the node’s processes and files is denied', () => {
    for (const field of ['hostPID', 'hostIPC', 'shareProcessNamespace']) {
      expect(faults({ [field]: true })).toEqual([`B-07 spec.${field}`]);
      expect(faults({ [field]: false })).toEqual([]);
    }
    for (const path of [
      '/',
      '/proc',
      '/var/lib/kubelet/pods',
      '/etc/cni/net.d',
      '/run/containerd/containerd.sock',
      '/etc/localtime',
    ]) {
      expect(
        faults({
          volumes: [
            { name: 'ok', emptyDir: {} },
            { name: 'h', hostPath: { path } },
          ],
        }),
      ).toEqual(['B-07 spec.volumes[1].hostPath']);
    }
    for (const list of EVERY_LIST)
      expect(faultsIn(list, { securityContext: { procMount: 'Unmasked' } })).toEqual([
        `B-07 spec.${list}[0].securityContext.procMount`,
      ]);
  });

  it('B-20 the API’s copy of a static pod is denied', () => {
    const pod = {
      ...makePod(),
      metadata: {
        name: 'a',
        labels: { 'lazaret.dev/phi': 'true' },
        annotations: { 'kubernetes.io/config.mirror': 'x' },
      },
    };
    expect(fieldsOf(submit(pod))).toEqual(['B-20 metadata.annotations["kubernetes.io/config.mirror"]']);
  });

  it('B-25 Windows is denied by os, selector, affinity and options', () => {
    expect(faults({ os: { name: 'windows' } })).toEqual(['B-25 spec.os.name']);
    for (const label of ['kubernetes.io/os', 'beta.kubernetes.io/os'])
      expect(faults({ nodeSelector: { [label]: 'Windows' } })).toEqual([`B-25 spec.nodeSelector["${label}"]`]);
    const nodeSelectorTerms = [
      {
        matchExpressions: [
          { key: 'zone', operator: 'Exists' },
          { key: 'kubernetes.io/os', operator: 'In', values: ['linux', 'windows'] },
        ],
      },
    ];
    expect(
      faults({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } }),
    ).toEqual([
      'B-25 spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[1]',
    ]);
    expect(faults({}, { securityContext: { windowsOptions: {} } })).toEqual([
      'B-25 spec.containers[0].securityContext.windowsOptions',
    ]);
  });

  it('B-25 runtime classes that the chart does not list and virtual nodes are denied', () => {
    expect(faults({ runtimeClassName: 'kata' })).toEqual(['B-25 spec.runtimeClassName']);
    expect(faults({ runtimeClassName: 'kata' }, {}, { values: { admission: { runtimeClasses: ['kata'] } } })).toEqual(
      [],
    );
    expect(faults({ nodeSelector: { type: 'virtual-kubelet' } })).toEqual(['B-25 spec.nodeSelector["type"]']);
    expect(faults({ tolerations: [{ key: 'virtual-kubelet.io/provider' }] })).toEqual(['B-25 spec.tolerations[0]']);
  });

  it('B-31 a namespace that enforces more than privileged is denied with its remedy', () => {
    for (const level of ['baseline', 'restricted', 'Privileged', '']) {
      const reviewed = submit(makePod(), {
        namespace: { labels: { 'lazaret.dev/guard': 'all', 'pod-security.kubernetes.io/enforce': level } },
      });
      expect(reviewed.rules).toEqual(['B-31']);
      expect(messageOf(reviewed)).toContain('pod-security.kubernetes.io/enforce=privileged');
    }
  });

  it('B-35 user namespaces are denied', () => {
    expect(faults({ hostUsers: false })).toEqual(['B-35 spec.hostUsers']);
    expect(faults({ hostUsers: true })).toEqual([]);
  });

  it('B-36 flexVolume and gitRepo are denied', () => {
    expect(
      faults({
        volumes: [
          { name: 'f', flexVolume: {} },
          { name: 'g', gitRepo: {} },
        ],
      }),
    ).toEqual(['B-36 spec.volumes[0].flexVolume', 'B-36 spec.volumes[1].gitRepo']);
  });
});

describe('what is ours', () => {
  it('B-08 a reserved container name is denied wherever it does not stand for our own container', () => {
    expect(faults({ containers: [{ name: 'lazaret-sidecar', image: 'x' }] })).toEqual(['B-08 spec.containers[0].name']);
    expect(faultsIn('initContainers', { name: 'lazaret-other' })).toEqual(['B-08 spec.initContainers[0].name']);
    expect(faultsIn('ephemeralContainers', { name: 'lazaret-init' })).toEqual([
      'B-08 spec.ephemeralContainers[0].name',
    ]);
  });

  it('B-08 every changed field of our container is put back', () => {
    const pod = admit(makePod());
    const sidecar: Container = pod.spec?.initContainers?.[1] ?? {};
    const changes: Fields = {
      image: 'evil',
      command: ['sh'],
      args: ['-c'],
      env: [],
      restartPolicy: undefined,
      securityContext: { privileged: true },
      volumeMounts: [],
      ports: [],
      resources: {},
      lifecycle: {},
      startupProbe: undefined,
      envFrom: [{}],
      workingDir: '/',
      stdin: true,
    };
    for (const [field, value] of Object.entries(changes)) {
      const initContainers = [pod.spec?.initContainers?.[0], { ...sidecar, [field]: value }];
      const again = admit(JSON.parse(JSON.stringify({ ...pod, spec: { ...pod.spec, initContainers } })));
      expect(again.spec?.initContainers?.[1], field).toEqual(sidecar);
    }
  });

  it('B-09 a forged or copied mark changes nothing: the guard is made anew', () => {
    const copied = admit(makePod(), {}, { uid: 'first' });
    for (const mark of ['true', '{"v":1,"uid":30000}', String(copied.metadata?.annotations?.['lazaret.dev/mark'])]) {
      const pod = {
        ...copied,
        metadata: { ...copied.metadata, name: 'other', annotations: { 'lazaret.dev/mark': mark } },
      };
      const made = admit(pod, {}, { uid: 'second' });
      expect(readIdentity(made)).not.toEqual(readIdentity(copied));
      expect(made.metadata?.annotations?.['lazaret.dev/mark']).not.toBe(mark);
      expect(made.spec?.initContainers?.length).toBe(2);
    }
  });

  it('B-12 our volumes and the paths below ours are denied to other containers', () => {
    const mount = (fields: Fields) => faults({}, { volumeMounts: [fields] });
    expect(mount({ name: 'lazaret-ca', mountPath: '/x' })).toEqual(['B-12 spec.containers[0].volumeMounts[0].name']);
    expect(mount({ name: 'lazaret-trust', mountPath: '/x', readOnly: true })).toEqual([
      'B-12 spec.containers[0].volumeMounts[0].name',
    ]);
    expect(mount({ name: 'lazaret-trust', mountPath: '/x', readOnly: true, subPath: '../lazaret-ca' })).toEqual([
      'B-12 spec.containers[0].volumeMounts[0].name',
    ]);
    for (const mountPath of ['/run/lazaret', '/run/lazaret/trust', '//run/./lazaret/x', '/var/run/lazaret/ca'])
      expect(mount({ name: 'own', mountPath })).toEqual(['B-12 spec.containers[0].volumeMounts[0].mountPath']);
    expect(mount({ name: 'own', mountPath: '/run' })).toEqual([]);
    expect(faults({}, { volumeDevices: [{ name: 'lazaret-spool', devicePath: '/dev/x' }] })).toEqual([
      'B-12 spec.containers[0].volumeDevices[0].name',
    ]);
    expect(faultsIn('ephemeralContainers', { volumeMounts: [{ name: 'lazaret-token', mountPath: '/x' }] })).toEqual([
      'B-12 spec.ephemeralContainers[0].volumeMounts[0].name',
    ]);
  });

  it('B-15 an unknown annotation or label of ours is denied, one of a mesh has no effect', () => {
    const withAnnotation = (key: string) =>
      fieldsOf(
        submit({ ...makePod(), metadata: { labels: { 'lazaret.dev/phi': 'true' }, annotations: { [key]: 'x' } } }),
      );
    for (const key of [
      'lazaret.dev/exclude-outbound-ports',
      'lazaret.dev/sidecar-image',
      'sub.lazaret.dev/x',
      'LAZARET.dev/x',
      'container.apparmor.security.beta.kubernetes.io/lazaret-sidecar',
    ])
      expect(withAnnotation(key)).toEqual([`B-15 metadata.annotations["${key}"]`]);
    expect(withAnnotation('traffic.sidecar.istio.io/excludeOutboundPorts')).toEqual([]);
    expect(withAnnotation('notlazaret.dev/x')).toEqual([]);
  });

  it('B-16 names and annotations that network plugins heed do not change what lazaret-init is told', () => {
    const plain = admit(makePod(), {}, { uid: 'x' });
    const marked = {
      ...makePod({ initContainers: [{ name: 'cni-repair', image: 'x' }] }),
      metadata: {
        labels: { 'lazaret.dev/phi': 'true' },
        annotations: {
          'sidecar.istio.io/status': '{}',
          'linkerd.io/inject': 'disabled',
          'lazaret.example/cni': 'done',
        },
      },
    };
    expect(admit(marked, {}, { uid: 'x' }).spec?.initContainers?.[0]).toEqual(plain.spec?.initContainers?.[0]);
  });

  it('B-29 a debug container that targets ours is denied, one that targets the application is not', () => {
    expect(faultsIn('ephemeralContainers', { targetContainerName: 'lazaret-sidecar' })).toEqual([
      'B-29 spec.ephemeralContainers[0].targetContainerName',
    ]);
    expect(faultsIn('ephemeralContainers', { targetContainerName: 'app' })).toEqual([]);
  });

  it('B-30 our ports and port names are denied in every list', () => {
    for (const list of LISTS) {
      for (const containerPort of [15_001, 15_020])
        expect(faultsIn(list, { ports: [{ containerPort: 80 }, { containerPort }] })).toEqual([
          `B-30 spec.${list}[0].ports[1].containerPort`,
        ]);
      expect(faultsIn(list, { ports: [{ name: 'lazaret-ops', containerPort: 80 }] })).toEqual([
        `B-30 spec.${list}[0].ports[0].name`,
      ]);
    }
  });
});

describe('where traffic goes', () => {
  const meshes = { values: { admission: { mesh: ['istio-proxy', 'linkerd-proxy'] } } };

  it('B-19 two meshes in one pod are denied even where both are registered', () => {
    const containers = [
      { name: 'app', image: 'a' },
      { name: 'istio-proxy', image: 'p' },
      { name: 'linkerd-proxy', image: 'p' },
    ];
    expect(faults({ containers }, {}, meshes)).toEqual(['B-19 spec.containers[2].name']);
    expect(faults({ containers: containers.slice(0, 2) }, {}, meshes)).toEqual([]);
  });

  it('B-23 lazaret-init is told the resolvers that UDP may reach, and no other UDP unless the chart lists it', () => {
    const init = (values: unknown) => admit(makePod(), { values }).spec?.initContainers?.[0]?.env ?? [];
    const value = (values: unknown, name: string) => init(values).find((entry) => entry.name === name)?.value;
    expect(value({}, 'LAZARET_RESOLVERS')).toBe('10.96.0.10');
    expect(value({}, 'LAZARET_UDP_ALLOWED')).toBeUndefined();
    expect(value({ network: { udpAllowed: ['10.0.0.0/8:123'] } }, 'LAZARET_UDP_ALLOWED')).toBe('10.0.0.0/8:123');
  });

  it('B-28 own nameservers, dnsPolicy None and hostAliases are denied unless the chart lists them', () => {
    expect(faults({ dnsPolicy: 'None' })).toEqual(['B-28 spec.dnsPolicy']);
    expect(faults({ dnsConfig: { nameservers: ['1.1.1.1'] } })).toEqual(['B-28 spec.dnsConfig.nameservers[0]']);
    expect(faults({ hostAliases: [{ ip: '10.0.0.1', hostnames: ['a.internal', 'b.internal'] }] })).toEqual([
      'B-28 spec.hostAliases[0]',
    ]);
    const listed = { values: { admission: { hostAliases: ['a.internal'], nameservers: ['1.1.1.1'] } } };
    expect(faults({ hostAliases: [{ ip: '10.0.0.1', hostnames: ['a.internal', 'b.internal'] }] }, {}, listed)).toEqual([
      'B-28 spec.hostAliases[0]',
    ]);
    expect(
      faults(
        {
          hostAliases: [{ ip: '10.0.0.1', hostnames: ['a.internal'] }],
          dnsPolicy: 'None',
          dnsConfig: { nameservers: ['1.1.1.1'] },
        },
        {},
        listed,
      ),
    ).toEqual([]);
    expect(faults({ dnsPolicy: 'None' }, {}, { exempt: ['B-28'] })).toEqual([]);
  });

  it('B-37 a mesh proxy is denied unless the chart registers its container', () => {
    for (const name of ['istio-proxy', 'linkerd-proxy', 'kuma-sidecar', 'consul-dataplane']) {
      expect(faultsIn('initContainers', { name })).toEqual(['B-37 spec.initContainers[0].name']);
      expect(faultsIn('containers', { name })).toEqual(['B-37 spec.containers[0].name']);
    }
    expect(faults({ containers: [{ name: 'istio-proxy', image: 'p' }] }, {}, meshes)).toEqual([]);
    const ambient = { namespace: { labels: { 'lazaret.dev/guard': 'all', 'istio.io/dataplane-mode': 'ambient' } } };
    expect(faults({}, {}, ambient)).toEqual(['B-37 namespace.metadata.labels["istio.io/dataplane-mode"]']);
  });

  it('B-38 a proxy variable is denied unless the chart lists its proxy', () => {
    const env = (name: string, value: unknown, world = {}) =>
      faults({}, { env: [typeof value === 'string' ? { name, value } : { name, valueFrom: value }] }, world);
    const denied = ['B-38 spec.containers[0].env[0]'];
    for (const name of ['HTTP_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy', 'grpc_proxy', 'npm_config_https_proxy'])
      expect(env(name, 'http://p.example:3128')).toEqual(denied);
    expect(env('HTTP_PROXY', { secretKeyRef: { name: 's', key: 'k' } })).toEqual(denied);
    expect(env('NO_PROXY', '.svc')).toEqual([]);
    expect(env('HTTP_PROXY', '')).toEqual([]);
    const listed = { values: { admission: { proxies: ['http://p.example:3128'] } } };
    expect(env('HTTP_PROXY', 'http://P.example:3128/', listed)).toEqual([]);
    expect(env('HTTP_PROXY', 'http://user:secret@p.example:3128', listed)).toEqual([]);
    for (const other of [
      'http://p.example:3129',
      'https://p.example:3128',
      'http://p.example.evil:3128',
      '$(P)',
      'p.example:3128',
    ])
      expect(env('HTTP_PROXY', other, listed)).toEqual(denied);
  });
});

describe('trust', () => {
  const paths = trustPaths(POD_PATH.trust);

  it('B-24 a replaced trust variable is named in a warning, a list keeps its own entries', () => {
    const env = [
      { name: 'SSL_CERT_FILE', value: '/own.pem' },
      { name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' },
      { name: 'NODE_EXTRA_CA_CERTS', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ];
    const reviewed = submit(makePod({}, { env }));
    expect(warningsOf(reviewed)[0]).toContain('SSL_CERT_FILE, NODE_EXTRA_CA_CERTS');
    const made = admit(makePod({}, { env })).spec?.containers?.[0]?.env ?? [];
    expect(made.slice(0, 3)).toEqual([
      { name: 'SSL_CERT_FILE', value: paths.allRoots },
      { name: 'JAVA_TOOL_OPTIONS', value: `-Xmx1g -Djavax.net.ssl.trustStore=${paths.javaStore}` },
      { name: 'NODE_EXTRA_CA_CERTS', value: paths.addedRoots },
    ]);
    expect(new Map(made.map(({ name, value }) => [name, value])).size).toBe(podEnvironment(paths).length);
  });

  it('B-24 a list variable from elsewhere is denied with the remedy', () => {
    const reviewed = submit(makePod({}, { env: [{ name: 'PHP_INI_SCAN_DIR', valueFrom: { configMapKeyRef: {} } }] }));
    expect(fieldsOf(reviewed)).toEqual(['B-24 spec.containers[0].env[0].valueFrom']);
    expect(messageOf(reviewed)).toContain('Write its value as text.');
  });
});

describe('what the creation of a pod does not show', () => {
  const untouched = (object: unknown, request: Fields) => {
    const reviewed = submit(object, {}, request);
    expect(reviewed.review.response).toEqual({ uid: expect.any(String), allowed: true });
    expect(reviewed.decision).toBe('not-ours');
  };

  it('B-10 a label change on a running pod is not the webhook’s: it never waits for us', () => {
    untouched(makePod(), { operation: 'UPDATE', oldObject: { ...makePod(), metadata: { name: 'app-0', labels: {} } } });
  });

  it('B-11 a namespace change is not the webhook’s: it never waits for us', () => {
    untouched(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'phi', labels: {} } },
      { operation: 'UPDATE', resource: { group: '', version: 'v1', resource: 'namespaces' } },
    );
  });

  it('B-17 every rule holds for a new debug container, and one without faults is hardened', () => {
    const pod = admit(makePod());
    const debug = (container: Fields) =>
      makeDebugReview(
        { ...pod, spec: { ...pod.spec, ephemeralContainers: [{ name: 'd', image: 'x', ...container }] } },
        pod,
      );
    const denied = reviewAdmission(debug(capabilities('NET_ADMIN')), makeContext());
    expect(denied.rules).toEqual(['B-05']);
    expect(messageOf(denied)).toContain('B-17');
    expect(reviewAdmission(debug({ securityContext: { privileged: true } }), makeContext()).rules).toEqual(['B-05']);
    expect(patchOf(reviewAdmission(debug({}), makeContext())).map(({ path }) => path)).toEqual([
      '/spec/ephemeralContainers/0/env',
      '/spec/ephemeralContainers/0/volumeMounts',
      '/spec/ephemeralContainers/0/securityContext',
    ]);
  });

  it('B-18 exec and attach are not the webhook’s: it never waits for us', () => {
    for (const subResource of ['exec', 'attach'])
      untouched({ kind: 'PodExecOptions', container: 'lazaret-sidecar' }, { operation: 'CONNECT', subResource });
  });

  it('B-21 a pod from before the guard is named to who debugs it', () => {
    const old = makePod();
    const reviewed = reviewAdmission(
      makeDebugReview({ ...old, spec: { ...old.spec, ephemeralContainers: [{ name: 'd', image: 'x' }] } }, old),
      makeContext(),
    );
    expect(reviewed.review.response.allowed).toBe(true);
    expect(warningsOf(reviewed)[0]).toContain('B-21');
  });

  it('B-22 a change of admission objects is not the webhook’s: it could not stop it anyway', () => {
    untouched(
      { kind: 'MutatingWebhookConfiguration' },
      {
        operation: 'UPDATE',
        resource: { group: 'admissionregistration.k8s.io', version: 'v1', resource: 'mutatingwebhookconfigurations' },
      },
    );
  });

  it('B-26 a resize is not the webhook’s, and without the sidecar the redirect leads nowhere: the application has no way out of its own', () => {
    untouched(makePod(), { operation: 'UPDATE', subResource: 'resize' });
    const pod = admit(makePod());
    expect(pod.spec?.initContainers?.[1]?.resources).toEqual({
      requests: { cpu: '50m', memory: '128Mi' },
      limits: { cpu: '1', memory: '256Mi' },
    });
  });

  it('B-27 a field of the wrong type is denied with its path', () => {
    expect(faults({ hostNetwork: 'true' })).toEqual(['B-27 spec.hostNetwork']);
    expect(faults({ containers: 'app' })).toEqual(['B-27 spec.containers']);
    expect(faults({ containers: [[]] })).toEqual(['B-27 spec.containers[0]']);
    expect(faults({}, { securityContext: { capabilities: { add: 'NET_ADMIN' } } })).toEqual([
      'B-27 spec.containers[0].securityContext.capabilities.add',
    ]);
    expect(faults({}, { securityContext: { runAsUser: '30000' } })).toEqual([
      'B-27 spec.containers[0].securityContext.runAsUser',
    ]);
    expect(faults({}, { env: { HTTP_PROXY: 'x' } })).toEqual(['B-27 spec.containers[0].env']);
    expect(fieldsOf(submit({ metadata: { labels: { 'lazaret.dev/phi': true } }, spec: {} }))).toEqual([
      'B-27 metadata.labels["lazaret.dev/phi"]',
    ]);
    expect(fieldsOf(submit({ metadata: [], spec: {} }))).toEqual(['B-27 metadata']);
  });
});

describe('what the policy denies on running pods and namespaces', () => {
  const told = (findings: readonly { readonly id: string; readonly field: string }[]) =>
    findings.map(({ id, field }) => `${id} ${field}`);
  const pod = admit(makePod());
  const withMetadata = (metadata: Fields) => ({ ...pod, metadata: { ...pod.metadata, ...metadata } }) as Pod;
  const withOurs = (index: number, fields: Fields) =>
    ({
      ...pod,
      spec: {
        ...pod.spec,
        initContainers: (pod.spec?.initContainers ?? []).map((item, i) =>
          i === index ? { ...item, ...fields } : item,
        ),
      },
    }) as Pod;

  it('B-10 the PHI label and our annotations may neither be added, removed nor changed', () => {
    const label = ['B-10 metadata.labels["lazaret.dev/phi"]'];
    expect(told(findPodChanges(pod, withMetadata({ labels: {} })))).toEqual(label);
    expect(told(findPodChanges(pod, withMetadata({ labels: { 'lazaret.dev/phi': 'false' } })))).toEqual(label);
    expect(told(findPodChanges(withMetadata({ labels: null }), pod))).toEqual(label);
    expect(told(findPodChanges(pod, withMetadata({ annotations: {} })))).toEqual([
      'B-10 metadata.annotations["lazaret.dev/mark"]',
    ]);
    const labels = { ...pod.metadata?.labels, app: 'other' };
    expect(findPodChanges(pod, withMetadata({ labels }))).toEqual([]);
  });

  it('B-10 the images of our containers may not be changed', () => {
    for (const index of [0, 1]) {
      expect(told(findPodChanges(pod, withOurs(index, { image: 'evil' })))).toEqual([
        `B-10 spec.initContainers[${index}].image`,
      ]);
    }
  });

  it('B-03 an image comes into a guarded pod only where its uid or gid is written', () => {
    const images = (spec: Fields, app: Fields, image = 'app:2') => {
      const before = admit(makePod({ initContainers: [{ name: 'migrate', image: 'm:1' }], ...spec }, app));
      const containers = [{ ...before.spec?.containers?.[0], image }];
      return told(findPodChanges(before, { ...before, spec: { ...before.spec, containers } }));
    };
    expect(images({}, {})).toEqual(['B-03 spec.containers[0].image']);
    expect(images({ securityContext: { fsGroup: 5 } }, { securityContext: { runAsNonRoot: true } })).toHaveLength(1);
    expect(images({}, {}, 'registry.example/app:1')).toEqual([]);
    for (const owner of [{ runAsUser: 0 }, { runAsGroup: 1000 }]) {
      expect(images({}, { securityContext: owner })).toEqual([]);
      expect(images({ securityContext: owner }, {})).toEqual([]);
    }
    const initContainers = (pod.spec?.initContainers ?? []).concat({ name: 'migrate', image: 'm:1' });
    const [with1, with2] = ['m:1', 'm:2'].map((image) => ({
      ...pod,
      spec: { ...pod.spec, initContainers: initContainers.with(2, { name: 'migrate', image }) },
    }));
    expect(told(findPodChanges(with1 ?? pod, with2 ?? pod))).toEqual(['B-03 spec.initContainers[2].image']);
    const free = makePod() as Pod;
    expect(findPodChanges(free, makePod({}, { image: 'app:2' }) as Pod)).toEqual([]);
  });

  it('B-11 the guard label of a namespace may be added and raised, not removed, lowered or mistyped', () => {
    const change = (before: string | null | undefined, after: string | undefined) => {
      const labels = (value: string | undefined) => (value === undefined ? {} : { 'lazaret.dev/guard': value });
      return told(findNamespaceChanges(before === null ? null : labels(before), labels(after))).map(
        (text) => text.split(' ')[0],
      );
    };
    expect([
      change(undefined, 'labelled'),
      change(null, 'all'),
      change('labelled', 'all'),
      change('All', 'all'),
    ]).toEqual([[], [], [], []]);
    expect([change('all', 'labelled'), change('all', undefined), change('labelled', undefined)]).toEqual([
      ['B-11'],
      ['B-11'],
      ['B-11'],
    ]);
    expect([change('all', 'All'), change(null, 'true'), change(undefined, '')]).toEqual([
      ['ADM-22'],
      ['ADM-22'],
      ['ADM-22'],
    ]);
  });

  it('B-18 exec and attach into our containers are denied, into the application not', () => {
    expect(told(findConnection('lazaret-sidecar'))).toEqual(['B-18 container']);
    expect(told(findConnection('lazaret-init'))).toEqual(['B-18 container']);
    for (const name of ['app', '', null, undefined]) expect(findConnection(name)).toEqual([]);
  });

  it('B-26 our containers may not be resized', () => {
    expect(told(findPodChanges(pod, withOurs(1, { resources: {} })))).toEqual([
      'B-26 spec.initContainers[1].resources',
    ]);
    expect(told(findPodChanges(pod, withOurs(0, { resources: undefined })))).toEqual([
      'B-26 spec.initContainers[0].resources',
    ]);
  });
});

describe('a copy of a guarded pod, where the PHI label decides', () => {
  const guarded = admit(makePod());
  const copy = (labels: Fields | undefined, change: Fields = {}): Pod =>
    ({ ...guarded, metadata: { name: 'copy', ...(labels === undefined ? {} : { labels }), ...change } }) as Pod;

  it('B-39 without labels is labelled and guarded anew, and who makes it is told', () => {
    for (const labels of [undefined, {}, { app: 'x' }]) {
      const reviewed = submit(copy(labels));
      const made = applyPatch(copy(labels), patchOf(reviewed)) as Pod;
      expect(made.metadata?.labels).toEqual({ ...labels, 'lazaret.dev/phi': 'true' });
      expect(readIdentity(made)?.chain).not.toBe(readIdentity(guarded)?.chain);
      expect(warningsOf(reviewed)[0]).toContain('guarded anew');
      expect(reviewOutcome(makeReview(made), makeContext()).review.response.allowed).toBe(true);
      expect(patchOf(submit(made))).toEqual([]);
    }
  });

  it('B-39 labelled as not PHI-bearing is denied, and so is one that lost its label after us', () => {
    const field = 'metadata.labels["lazaret.dev/phi"]';
    expect(fieldsOf(submit(copy({ 'lazaret.dev/phi': 'false' })))).toEqual([`B-39 ${field}`]);
    expect(fieldsOf(reviewOutcome(makeReview(copy({ 'lazaret.dev/phi': 'false' })), makeContext()))).toEqual([
      `B-39 ${field}`,
    ]);
    expect(fieldsOf(reviewOutcome(makeReview(copy({ app: 'x' })), makeContext()))).toEqual(['B-39 metadata.labels']);
  });

  it('B-39 is known by a single container, volume or mark, and judged by every other rule', () => {
    const part = (spec: Fields, annotations: Fields = {}) => ({
      metadata: { name: 'part', annotations },
      spec: { containers: [{ name: 'app', image: 'x' }], ...spec },
    });
    for (const pod of [
      part({ initContainers: [{ name: 'lazaret-init', image: 'x' }] }),
      part({ volumes: [{ name: 'lazaret-ca', emptyDir: {} }] }),
      part({}, { 'lazaret.dev/mark': 'x' }),
    ])
      expect(submit(pod).decision).toBe('injected');
    expect(fieldsOf(submit(part({ containers: [{ name: 'Lazaret-Sidecar', image: 'x' }] })))).toEqual([
      'B-08 spec.containers[0].name',
    ]);
    expect(fieldsOf(submit(part({ shareProcessNamespace: true, volumes: [{ name: 'lazaret-ca' }] })))).toEqual([
      'B-07 spec.shareProcessNamespace',
    ]);
    expect(submit(part({ volumes: [{ name: 'lazarette' }] }, { 'lazaret.dev/sidecar-cpu': '1' })).decision).toBe(
      'not-ours',
    );
  });

  it('B-39 where every pod is guarded needs no label, and where none is, nothing is asked', () => {
    const all = { namespace: { labels: { 'lazaret.dev/guard': 'all' } } };
    const made = applyPatch(copy(undefined), patchOf(submit(copy(undefined), all))) as Pod;
    expect(made.metadata?.labels).toBeUndefined();
    expect(reviewOutcome(makeReview(made), makeContext(all)).review.response.allowed).toBe(true);
    expect(submit(copy(undefined), { namespace: { labels: {} } }).decision).toBe('not-ours');
  });

  it('B-39 from before this rule is judged when a debug container is added', () => {
    const before = copy({ app: 'x' });
    const debug = { ...before, spec: { ...before.spec, ephemeralContainers: [{ name: 'd', image: 'x' }] } };
    expect(patchOf(reviewAdmission(makeDebugReview(debug, before), makeContext())).length).toBeGreaterThan(0);
  });
});

describe('the review itself', () => {
  it('ADM-17 what is no AdmissionReview of v1 is denied with what is wrong', () => {
    for (const body of [
      null,
      [],
      'x',
      7,
      {},
      { apiVersion: 'admission.k8s.io/v1beta1', kind: 'AdmissionReview' },
      { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' },
    ]) {
      const reviewed = reviewAdmission(body, makeContext());
      expect(reviewed.review.response).toMatchObject({ uid: '', allowed: false, status: { code: 400 } });
      expect(reviewed.rules).toEqual(['ADM-17']);
    }
  });

  it('ADM-19 a field that another webhook stripped is denied by name', () => {
    const pod = admit(makePod());
    const sidecar = { ...pod.spec?.initContainers?.[1], restartPolicy: undefined };
    const stripped = JSON.parse(
      JSON.stringify({ ...pod, spec: { ...pod.spec, initContainers: [pod.spec?.initContainers?.[0], sidecar] } }),
    );
    const reviewed = reviewOutcome(makeReview(stripped), makeContext());
    expect(fieldsOf(reviewed)).toEqual(['ADM-19 spec.initContainers[1].restartPolicy']);
    expect(messageOf(reviewed)).toContain('mutating webhook');
  });

  it('ADM-22 a label with a value that means nothing is denied', () => {
    for (const value of ['yes', 'True', '1', '', 'TRUE '])
      expect(fieldsOf(submit({ ...makePod(), metadata: { labels: { 'lazaret.dev/phi': value } } }))).toEqual([
        'ADM-22 metadata.labels["lazaret.dev/phi"]',
      ]);
    for (const guard of ['true', 'All', 'label', ''])
      expect(fieldsOf(submit(makePod(), { namespace: { labels: { 'lazaret.dev/guard': guard } } }))).toEqual([
        'ADM-22 namespace.metadata.labels["lazaret.dev/guard"]',
      ]);
  });

  it('ADM-24 an author’s amount counts within the chart’s bounds and is denied outside', () => {
    const review = (annotations: Fields) => ({
      ...makePod(),
      metadata: { labels: { 'lazaret.dev/phi': 'true' }, annotations },
    });
    const sidecar = (annotations: Fields) => admit(review(annotations)).spec?.initContainers?.[1];
    expect(sidecar({ 'lazaret.dev/sidecar-cpu': '2000m', 'lazaret.dev/sidecar-memory': '1024Mi' })?.resources).toEqual({
      requests: { cpu: '50m', memory: '128Mi' },
      limits: { cpu: '2', memory: '1Gi' },
    });
    expect(
      sidecar({ 'lazaret.dev/log-level': 'debug' })?.env?.findLast(({ name }) => name === 'LAZARET_LOG_LEVEL')?.value,
    ).toBe('debug');
    for (const amount of ['1m', '8', '-1', 'much', '1e3', ''])
      expect(fieldsOf(submit(review({ 'lazaret.dev/sidecar-cpu': amount })))).toEqual([
        'ADM-24 metadata.annotations["lazaret.dev/sidecar-cpu"]',
      ]);
    for (const amount of ['1Mi', '2Gi', '0'])
      expect(messageOf(submit(review({ 'lazaret.dev/sidecar-memory': amount })))).toContain('192Mi to 1Gi');
    expect(fieldsOf(submit(review({ 'lazaret.dev/log-level': 'trace' })))).toEqual([
      'ADM-24 metadata.annotations["lazaret.dev/log-level"]',
    ]);
  });

  it('ADM-39 a fault of ours denies and tells nothing of the object', () => {
    const context = makeContext();
    const broken = {
      ...context,
      settings: {
        ...makeSettings(),
        get constraints(): readonly string[] {
          throw new Error('secret of the pod');
        },
      },
    };
    const reviewed = reviewAdmission(makeReview(makePod()), broken);
    expect(reviewed.review.response).toMatchObject({ allowed: false, status: { code: 500 } });
    expect(reviewed.rules).toEqual(['ADM-39']);
    expect(messageOf(reviewed)).not.toContain('secret');
  });

  it('ADM-60 a faulty resource of ours is denied with field and remedy, a good one is let through', () => {
    const submitResource = (spec: Fields) =>
      submit(
        { apiVersion: 'lazaret.dev/v1alpha1', kind: 'GuardExemption', metadata: { name: 'x' }, spec },
        {},
        { resource: { group: 'lazaret.dev', version: 'v1alpha1', resource: 'guardexemptions' } },
      );
    const good = {
      reason: 'r',
      approvedBy: 'a',
      from: '2026-01-01',
      until: '2026-02-01',
      namespaces: ['phi'],
      grant: { hardening: ['B-04'] },
    };
    expect(submitResource(good).review.response.allowed).toBe(true);
    expect(fieldsOf(submitResource({ ...good, until: '2030-01-01' }))).toEqual(['ADM-60 spec.until']);
    expect(fieldsOf(submitResource({ ...good, grant: { everything: true } }))).toContain(
      'ADM-60 spec.grant.everything',
    );
  });
});

describe('the catalogue', () => {
  it('holds B-01 to B-39 without a gap, each once', () => {
    const ids = RULES.map(({ id }) => id).filter((id) => id.startsWith('B-'));
    expect(ids).toEqual(Array.from({ length: 39 }, (_, i) => `B-${String(i + 1).padStart(2, '0')}`));
  });

  it('has a test under every id', () => {
    const here = new URL('.', import.meta.url);
    const tests = readdirSync(here)
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => readFileSync(new URL(file, here), 'utf8'))
      .join('\n');
    expect(RULES.map(({ id }) => id).filter((id) => !new RegExp(`\\bit\\('${id} `).test(tests))).toEqual([]);
  });

  it('denies under every rule of verdict deny that an object can break', () => {
    const silent = RULES.filter((rule) => rule.verdict === 'deny' && rule.check === undefined).map(({ id }) => id);
    expect(silent).toEqual(['B-17', 'B-27', 'B-39', 'ADM-17', 'ADM-19', 'ADM-22', 'ADM-24', 'ADM-39', 'ADM-60']);
  });
});

function mountersOf(pod: Pod, volume: string): readonly unknown[] {
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return all
    .filter(({ volumeMounts }) => (volumeMounts ?? []).some(({ name }) => name === volume))
    .map(({ name }) => name);
}
