import { describe, expect, it } from 'vitest';
import { podEnvironment } from '#contract/pod-environment.ts';
import { POD_PATH, trustPaths } from '#contract/pod-paths.ts';
import { parseConfig } from '#sidecar/config.ts';
import { parseInitConfig } from '#sidecar/init/config.ts';
import { initContainer, sidecarContainer } from '#controller/admission/guard-containers.ts';
import type { Container, Pod, Variable } from '#controller/admission/pod.ts';
import { admit, makePod, makeSettings, patchOf, submit, warningsOf } from './fixture.ts';

const OURS = podEnvironment(trustPaths(POD_PATH.trust));
const IDENTITY = { uid: 31_234, gid: 45_678, chain: '0123456789abcdef0123456789abcdef' };

function shape(values: unknown = {}) {
  const settings = makeSettings(values);
  return { settings, identity: IDENTITY, options: { resources: settings.values.sidecar.resources, logLevel: 'info' } };
}

/** The variables as the kubelet gives them: `$$` is a dollar, `$(NAME)` expands, a field reference has its value. */
function kubeletEnvironment(env: readonly Variable[] | null | undefined): Record<string, string> {
  return Object.fromEntries(
    (env ?? []).map(({ name, value }) => [name ?? '', (value ?? 'from-the-pod').replaceAll('$$', '$')]),
  );
}

describe('the two containers', () => {
  it('are the first two of initContainers, before the author’s, on every call and in any state', () => {
    const authors = [
      { name: 'a', image: 'x' },
      { name: 'b', image: 'x' },
    ];
    const pod = admit(makePod({ initContainers: authors }));
    const names = (of: Pod) => of.spec?.initContainers?.map(({ name }) => name);
    expect(names(pod)).toEqual(['lazaret-init', 'lazaret-sidecar', 'a', 'b']);
    const [init, sidecar, ...rest] = pod.spec?.initContainers ?? [];
    for (const order of [
      [{ name: 'first', image: 'x' }, init, sidecar, ...rest],
      [...rest, sidecar, init],
      [sidecar, ...rest],
      [init, init, sidecar, sidecar, ...rest],
    ]) {
      const again = admit({ ...pod, spec: { ...pod.spec, initContainers: order } });
      expect(names(again)?.slice(0, 2)).toEqual(['lazaret-init', 'lazaret-sidecar']);
      expect(names(again)?.filter((name) => name?.startsWith('lazaret-'))).toHaveLength(2);
    }
  });

  it('have exactly these security contexts', () => {
    expect(sidecarContainer(shape()).securityContext).toEqual({
      runAsUser: 31_234,
      runAsGroup: 45_678,
      runAsNonRoot: true,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(initContainer(shape()).securityContext).toMatchObject({
      runAsUser: 0,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'CHOWN'] },
    });
  });

  it('make the author’s containers wait for a startup probe, and have no preStop', () => {
    const sidecar = sidecarContainer(shape());
    expect(sidecar.restartPolicy).toBe('Always');
    expect(sidecar.startupProbe).toMatchObject({ httpGet: { path: '/readyz', port: 15_020 } });
    expect(sidecar.lifecycle).toBeUndefined();
  });

  it('carry settings that the sidecar takes', () => {
    const parsed = parseConfig(
      kubeletEnvironment(
        sidecarContainer(shape({ egress: { proxy: 'http://proxy.example:3128' }, sidecar: { upstreamRoots: 'PEM' } }))
          .env,
      ),
    );
    expect(parsed).toMatchObject({
      ok: true,
      config: {
        LAZARET_CHAIN: IDENTITY.chain,
        LAZARET_BUNDLE_KEY: '/run/lazaret/settings/bundle-keys.jwks',
        LAZARET_BUNDLE_URL: 'https://lazaret-controller.lazaret.svc:8444',
        LAZARET_BUNDLE_CA: '/run/lazaret/settings/release-ca.pem',
        LAZARET_ENROL_TOKEN: '/run/lazaret/token/token',
      },
    });
  });

  it('carry settings that lazaret-init takes, with the numbers of the sidecar', () => {
    const values = {
      network: { resolvers: ['10.0.0.10', '[fd00::10]:53'], udpAllowed: ['10.0.0.0/8:123'] },
      admission: { extraRootsConfigMap: { name: 'roots' } },
    };
    const parsed = parseInitConfig(kubeletEnvironment(initContainer(shape(values)).env));
    expect(parsed).toMatchObject({
      ok: true,
      config: { owner: { uid: 31_234, gid: 45_678 }, extraRoots: '/run/lazaret/extra-roots/ca.crt' },
    });
    expect(parsed.ok && parsed.config.constraints).toContain('api.anthropic.com');
  });

  it('carry the release’s public files in a variable that expansion leaves whole', () => {
    const env = initContainer(shape({ audit: { recipients: '{"keys":["$(HOME) $$ $"]}' } })).env;
    const files = JSON.parse(kubeletEnvironment(env).LAZARET_FILES ?? '');
    expect(files['recipients.jwks']).toBe('{"keys":["$(HOME) $$ $"]}');
    expect(parseInitConfig(kubeletEnvironment(env))).toMatchObject({ ok: true, config: { settingsFiles: files } });
    expect(env?.find(({ name }) => name === 'LAZARET_FILES')?.value).not.toMatch(/(^|[^$])(\$\$)*\$\(/);
  });

  it('use images by digest where the chart gives one', () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const container = sidecarContainer(
      shape({
        global: { imageRegistry: 'registry.example/' },
        sidecar: { image: { repository: 'guard/sidecar', tag: '', digest } },
      }),
    );
    expect(container.image).toBe(`registry.example/guard/sidecar@${digest}`);
  });

  it('take nothing from the author’s containers', () => {
    const odd = {
      securityContext: { capabilities: { add: ['CHOWN'] }, runAsUser: 7 },
      env: [{ name: 'LAZARET_UID', value: '0' }],
      resources: { limits: { cpu: '9' } },
      imagePullPolicy: 'Never',
    };
    const plain = admit(makePod(), {}, { uid: 'x' });
    const strange = admit(makePod({ securityContext: { runAsUser: 5, fsGroup: 6 } }, odd), {}, { uid: 'x' });
    expect(strange.spec?.initContainers).toEqual(plain.spec?.initContainers);
  });
});

describe('an application container', () => {
  it('gets the trust files read-only and the variables that name them', () => {
    const app = admit(makePod()).spec?.containers?.[0];
    expect(app?.volumeMounts).toEqual([{ name: 'lazaret-trust', mountPath: '/run/lazaret/trust', readOnly: true }]);
    expect(app?.env).toEqual(OURS);
  });

  it('keeps everything else byte for byte', () => {
    const app = {
      command: ['a'],
      args: ['b'],
      workingDir: '/w',
      ports: [{ containerPort: 80 }],
      livenessProbe: { exec: { command: ['true'] } },
      lifecycle: { preStop: {} },
      resources: { limits: { x: '1' } },
      stdin: true,
      unknown: { deep: [null] },
    };
    const made: Container = admit(makePod({}, app)).spec?.containers?.[0] ?? {};
    expect(made).toMatchObject(app);
    expect(Object.keys(made).sort()).toEqual(
      [...Object.keys(app), 'env', 'image', 'name', 'securityContext', 'volumeMounts'].sort(),
    );
  });

  it('keeps the order of its variables, because one may refer to an earlier one', () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'B', value: '$(A)' },
      { name: 'A', value: '2' },
      { name: 'SSL_CERT_FILE', value: '/old' },
      { name: 'C', valueFrom: { fieldRef: {} } },
    ];
    const made = admit(makePod({}, { env })).spec?.containers?.[0]?.env ?? [];
    expect(made.slice(0, 3)).toEqual(env.slice(0, 3));
    expect(made[4]).toEqual(env[4]);
  });

  it('has its files covered at the chart’s overlay paths, but for those that it covers itself', () => {
    const values = { admission: { overlayPaths: ['/etc/ssl/certs/ca-certificates.crt', '/etc/ssl/cert.pem'] } };
    const own = { name: 'roots', mountPath: '/etc/ssl/cert.pem', subPath: 'x' };
    const pod = makePod({ volumes: [{ name: 'roots', configMap: { name: 'r' } }] }, { volumeMounts: [own] });
    const made = admit(pod, { values });
    expect(made.spec?.containers?.[0]?.volumeMounts).toEqual([
      own,
      { name: 'lazaret-trust', mountPath: '/run/lazaret/trust', readOnly: true },
      {
        name: 'lazaret-trust',
        mountPath: '/etc/ssl/certs/ca-certificates.crt',
        subPath: 'all-roots.pem',
        readOnly: true,
      },
    ]);
    expect(warningsOf(submit(pod, { values }))[0]).toContain('/etc/ssl/cert.pem is kept');
    expect(patchOf(submit(made, { values }))).toEqual([]);
  });

  it('loses overlay mounts that the chart does not list any more', () => {
    const before = admit(makePod(), { values: { admission: { overlayPaths: ['/etc/ssl/cert.pem'] } } });
    expect(admit(before).spec?.containers?.[0]?.volumeMounts).toHaveLength(1);
  });

  it('has capabilities dropped in the one spelling that runtimes heed, behind its own', () => {
    const drops = (drop: readonly string[]) =>
      admit(makePod({}, { securityContext: { capabilities: { drop } } })).spec?.containers?.[0]?.securityContext
        ?.capabilities?.drop;
    expect(drops(['ALL'])).toEqual(['ALL']);
    expect(drops(['MKNOD', 'SETUID'])).toEqual([
      'MKNOD',
      'SETUID',
      'NET_ADMIN',
      'NET_RAW',
      'SETFCAP',
      'SETGID',
      'SETPCAP',
    ]);
    expect(drops(['CAP_NET_RAW', 'net_raw', 'all'])).toEqual([
      'CAP_NET_RAW',
      'net_raw',
      'all',
      'NET_ADMIN',
      'NET_RAW',
      'SETFCAP',
      'SETGID',
      'SETPCAP',
      'SETUID',
    ]);
  });

  it('is told of a short grace and of variables that envFrom brings', () => {
    const warnings = warningsOf(
      submit(makePod({ terminationGracePeriodSeconds: 1 }, { envFrom: [{ configMapRef: { name: 'c' } }] })),
    );
    expect(warnings.some((text) => text.includes('terminationGracePeriodSeconds'))).toBe(true);
    expect(warnings.some((text) => text.includes('envFrom'))).toBe(true);
    expect(warningsOf(submit(makePod()))).toEqual([]);
  });
});

describe('annotations and volumes', () => {
  it('name the author’s first container as the default, unless there is one', () => {
    const pod = makePod({ initContainers: [{ name: 'i', image: 'x' }] });
    expect(admit(pod).metadata?.annotations).toMatchObject({
      'kubectl.kubernetes.io/default-container': 'app',
      'kubectl.kubernetes.io/default-logs-container': 'app',
    });
    const chosen = {
      ...pod,
      metadata: { ...pod.metadata, annotations: { 'kubectl.kubernetes.io/default-container': 'b' } },
    };
    expect(admit(chosen).metadata?.annotations).toMatchObject({ 'kubectl.kubernetes.io/default-container': 'b' });
  });

  it('add our volumes to the autoscaler’s list without losing or doubling an entry', () => {
    const key = 'cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes';
    const pod = makePod();
    const made = admit({ ...pod, metadata: { ...pod.metadata, annotations: { [key]: 'cache, lazaret-trust' } } });
    expect(made.metadata?.annotations?.[key]).toBe('cache,lazaret-trust,lazaret-ca,lazaret-settings,lazaret-spool');
  });

  it('keep the evidence on disk and everything else of ours in memory', () => {
    const volumes = admit(makePod()).spec?.volumes ?? [];
    const medium = (name: string) => volumes.find((volume) => volume.name === name)?.emptyDir;
    expect(medium('lazaret-spool')).toEqual({ sizeLimit: '384Mi' });
    for (const name of ['lazaret-trust', 'lazaret-ca', 'lazaret-settings'])
      expect(medium(name)).toMatchObject({ medium: 'Memory' });
  });

  it('put a volume of ours that somebody changed back in its place', () => {
    const pod = admit(makePod({ volumes: [{ name: 'a', emptyDir: {} }] }));
    const changed = (pod.spec?.volumes ?? []).map((volume) =>
      volume.name === 'lazaret-ca' ? { name: 'lazaret-ca', configMap: { name: 'evil' } } : volume,
    );
    const again = admit({
      ...pod,
      spec: { ...pod.spec, volumes: [...changed, { name: 'late', emptyDir: {} }, { name: 'lazaret-ca', secret: {} }] },
    });
    expect(again.spec?.volumes).toEqual([...(pod.spec?.volumes ?? []), { name: 'late', emptyDir: {} }]);
  });
});

describe('what the API server adds', () => {
  const accountMount = {
    name: 'kube-api-access-abcde',
    mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
    readOnly: true,
  };

  function withDefaults(pod: Pod): Pod {
    const add = (container: Container) => ({
      ...container,
      volumeMounts: [...(container.volumeMounts ?? []), accountMount],
      imagePullPolicy: 'Always',
      resources: {
        ...(container.resources as object),
        limits: {
          ...(container.resources as { limits?: object } | undefined)?.limits,
          'ephemeral-storage': '1Gi',
        },
      },
    });
    return {
      ...pod,
      spec: {
        ...pod.spec,
        initContainers: (pod.spec?.initContainers ?? []).map(add),
        volumes: [
          ...(pod.spec?.volumes ?? []),
          { name: accountMount.name, projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
        ],
      },
    };
  }

  it('stays: the account mount, the pull policy and amounts that we do not set', () => {
    const pod = withDefaults(admit(makePod()));
    expect(patchOf(submit(pod))).toEqual([]);
  });

  it('stays: the default of procMount', () => {
    const pod = admit(makePod());
    const add = (container: Container) => ({
      ...container,
      securityContext: { ...container.securityContext, procMount: 'Default' },
    });
    expect(
      patchOf(submit({ ...pod, spec: { ...pod.spec, initContainers: pod.spec?.initContainers?.map(add) } })),
    ).toEqual([]);
  });

  it('is told from what only looks like it', () => {
    const pod = admit(makePod());
    for (const mount of [
      { ...accountMount, readOnly: false },
      { ...accountMount, mountPath: '/run/lazaret/ca' },
      { ...accountMount, name: 'evil' },
      { ...accountMount, subPath: 'x' },
    ]) {
      const [init, sidecar] = pod.spec?.initContainers ?? [];
      const changed = { ...sidecar, volumeMounts: [...(sidecar?.volumeMounts ?? []), mount] };
      const again = admit({ ...pod, spec: { ...pod.spec, initContainers: [init, changed] } });
      expect(again.spec?.initContainers?.[1]).toEqual(sidecar);
    }
  });
});
