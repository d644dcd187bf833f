// The scene of the attempts to get around the guard: a guarded namespace with an agreement for one provider, an application
// that runs as root and one that does not, a helper outside the guard, a stranger on the internet.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ProbeOutcome, ProbeStep } from './bypass-probe.ts';
import { readHosts, setHosts } from './cluster-dns.ts';
import { type Stranger, startStranger } from './bypass-world.ts';
import { installProduct, type Product } from './install.ts';
import { nameImage } from './load-image.ts';
import {
  applyYaml,
  BASE_IMAGE,
  deleteNamespace,
  execInPod,
  getObject,
  kubectl,
  makeNamespace,
  PLACE,
  waitForCondition,
} from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

/** Everything that a file of attempts needs. */
export interface Stage {
  readonly product: Product;
  readonly stranger: Stranger;
  /** Guarded, `labelled`. */
  readonly clinic: string;
  /** Not guarded; holds the helper. */
  readonly outside: string;
  /** The helper's service address. */
  readonly relay: string;
  /** What the helper was told so far. */
  readonly told: () => Promise<readonly string[]>;
  readonly leave: () => Promise<void>;
}

/** The name under which the stranger is known to the world's DNS. */
export const STRANGER_NAME = 'stranger.example.net';
export const ATTACKER = 'attacker';
/** The tag of the image of the container that runs as root: what it names can change. */
export const ROOT_IMAGE = 'localhost/bypass-root:test';
const AGREEMENT = 'bypass-anthropic';

const program = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8');

/** Installs or takes over the product, and sets the scene. */
export async function setStage(): Promise<Stage> {
  const product = await installProduct();
  const [clinic, outside] = await Promise.all([
    makeNamespace({ 'lazaret.dev/guard': 'labelled', 'pod-security.kubernetes.io/enforce': 'privileged' }),
    makeNamespace(),
  ]);
  const stranger = await startStranger();
  await nameImage(PLACE, BASE_IMAGE, ROOT_IMAGE);
  await setHosts(PLACE, { ...(await readHosts(PLACE)), [STRANGER_NAME]: stranger.address });
  const objects = [agreement(), programs(clinic), victim(clinic), ...(await helper(product, outside))];
  // Just after an upgrade of the release a replica that ends may still be asked, and what cannot be judged is refused.
  await waitFor('the scene', () => applyAll(objects).then(() => true), 30);
  await Promise.all([
    waitForCondition(clinic, `pod/${ATTACKER}`, 'condition=Ready', 120),
    waitForCondition(outside, 'pod/relay', 'condition=Ready', 120),
  ]);
  const relay = await addressOf(outside, 'service/relay', 'clusterIP');
  await waitForAgreement(clinic, product.provider.address);
  return {
    product,
    stranger,
    clinic,
    outside,
    relay,
    told: async () => {
      const { body } = await fetch(`http://${relay}:8000/`).then(async (it) => ({ body: await it.json() }));
      return body as readonly string[];
    },
    leave: async () => {
      stranger.stop();
      const others = Object.entries(await readHosts(PLACE)).filter(([name]) => name !== STRANGER_NAME);
      await setHosts(PLACE, Object.fromEntries(others));
      await kubectl(['delete', 'provideragreement', AGREEMENT, '--ignore-not-found']);
      await Promise.all([clinic, outside].map(deleteNamespace));
      await product.leave();
    },
  };
}

/** Takes steps one after the other in the guarded pod. */
export async function probe(
  stage: Pick<Stage, 'clinic'>,
  steps: readonly ProbeStep[],
  container = 'app',
): Promise<readonly ProbeOutcome[]> {
  const command = ['node', '/probe/bypass-probe.ts', JSON.stringify(steps)];
  const { status, stdout, stderr } = await execInPod(stage.clinic, ATTACKER, command, container);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as readonly ProbeOutcome[];
}

/** Runs a shell script in the guarded pod. @returns what it wrote to both outputs, and its exit code */
export async function shell(
  stage: Pick<Stage, 'clinic'>,
  script: string,
  container = 'app',
): Promise<{ readonly status: number; readonly said: string }> {
  const { status, stdout, stderr } = await execInPod(stage.clinic, ATTACKER, ['sh', '-c', script], container);
  return { status, said: stdout + stderr };
}

/** The numbers under which the guard of a pod runs. */
export async function identityOf(
  stage: Pick<Stage, 'clinic'>,
  pod = ATTACKER,
): Promise<{ readonly uid: number; readonly gid: number }> {
  const { spec } = (await getObject(['pod', pod, `--namespace=${stage.clinic}`])) as {
    readonly spec: {
      readonly initContainers: readonly {
        readonly name: string;
        readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number };
      }[];
    };
  };
  const sidecar = spec.initContainers.find(({ name }) => name === 'lazaret-sidecar');
  if (sidecar === undefined) throw new Error('the pod has no guard');
  return { uid: sidecar.securityContext.runAsUser, gid: sidecar.securityContext.runAsGroup };
}

/** A request that an agreement covers, with a patient's identifiers. */
export const PROMPT = 'Patient Maria Gonzalez, MRN 48120937, phone (231) 555-0148.';
const BODY = JSON.stringify({
  model: 'claude-sonnet-4-5',
  max_tokens: 9,
  messages: [{ role: 'user', content: PROMPT }],
});

/** The bytes of a request for a model's answer. */
export function modelRequest(host: string, target = '/v1/messages', body = BODY): string {
  const fields = [
    `Host: ${host}`,
    'Content-Type: application/json',
    'x-api-key: sk-ant-api03-aaaaaaaaaaaaaaaa',
    'anthropic-version: 2023-06-01',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `POST ${target} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n${body}`;
}

async function addressOf(namespace: string, object: string, field: string): Promise<string> {
  return (await kubectl(['get', object, `--namespace=${namespace}`, `--output=jsonpath={.spec.${field}}`])).trim();
}

async function applyAll(objects: readonly object[]): Promise<void> {
  await applyYaml(objects.map((object) => stringify(object)).join('---\n'));
}

/** The guard has its policy a moment after the agreement is there. */
async function waitForAgreement(clinic: string, host: string): Promise<void> {
  const step = {
    do: 'tls',
    host,
    port: 443,
    name: 'api.anthropic.com',
    send: modelRequest('api.anthropic.com'),
  } as const;
  await waitFor('the agreement in the pod', async () => {
    const [met] = await probe({ clinic }, [step]);
    return met?.text.startsWith('HTTP/1.1 200') === true ? true : null;
  });
}

function agreement(): object {
  return {
    apiVersion: 'lazaret.dev/v1alpha1',
    kind: 'ProviderAgreement',
    metadata: { name: AGREEMENT },
    spec: {
      provider: 'Anthropic',
      product: 'Claude API',
      match: { hosts: ['api.anthropic.com'], paths: ['POST /v1/messages'] },
      contract: { status: 'signed', ref: 'BAA-1', signedOn: '2026-01-15' },
    },
  };
}

function programs(namespace: string): object {
  const names = ['bypass-probe.ts', 'bypass-sockets.pl'];
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'probe', namespace },
    data: Object.fromEntries(names.map((name) => [name, program(name)])),
  };
}

/** An application that wants out: as an ordinary user, as root, and as root under the runtime's own seccomp profile. */
function victim(namespace: string): object {
  const container = (name: string, securityContext: object, image = BASE_IMAGE) => ({
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    // Ends when it is asked to, also as the first process.
    command: ['sh', '-c', 'trap exit TERM; sleep infinity & wait'],
    securityContext,
    volumeMounts: [
      { name: 'probe', mountPath: '/probe' },
      { name: 'shared', mountPath: '/shared' },
    ],
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: ATTACKER, namespace, labels: { 'lazaret.dev/phi': 'true', app: ATTACKER } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        container('app', { runAsUser: 1000 }),
        container('root', {}, ROOT_IMAGE),
        container('confined', { seccompProfile: { type: 'RuntimeDefault' } }),
      ],
      volumes: [
        { name: 'probe', configMap: { name: 'probe' } },
        { name: 'shared', emptyDir: {} },
      ],
    },
  };
}

async function helper(product: Product, namespace: string): Promise<readonly object[]> {
  const { certificate, key } = await product.provider.authority.issue('api.openai.com');
  const data = { 'tls.crt': certificate, 'tls.key': key, 'bypass-relay.ts': program('bypass-relay.ts') };
  const ports = [80, 443, 3128, 9000, 8000, 53].map((port) => ({ name: `tcp-${port}`, port, protocol: 'TCP' }));
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'relay', namespace }, data },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'relay', namespace },
      spec: { selector: { app: 'relay' }, ports: [...ports, { name: 'udp-53', port: 53, protocol: 'UDP' }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'relay', namespace, labels: { app: 'relay' } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'relay',
            image: BASE_IMAGE,
            imagePullPolicy: 'IfNotPresent',
            command: ['node', '/relay/bypass-relay.ts', '/relay'],
            readinessProbe: { httpGet: { path: '/', port: 8000 }, periodSeconds: 1 },
            volumeMounts: [{ name: 'relay', mountPath: '/relay' }],
          },
        ],
        volumes: [{ name: 'relay', configMap: { name: 'relay' } }],
      },
    },
  ];
}
