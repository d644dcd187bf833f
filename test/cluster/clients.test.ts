import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { podEnvironment } from '#contract/pod-environment.ts';
import { POD_PATH, trustPaths } from '#contract/pod-paths.ts';
import type { ReceivedRequest } from '#test/fake/answer.ts';
import { echo } from '#test/fake/dialect-answer.ts';
import { type ClientsImage, clientsImage, loadClientsImage } from './clients/image.ts';
import { type ClientResult, readResults } from './clients/result.ts';
import { installProduct, type Product } from './install.ts';
import {
  applyYaml,
  deleteNamespace,
  getObject,
  kubectl,
  makeNamespace,
  PLACE,
  waitForCondition,
} from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const HOSTS = ['api.anthropic.com', 'api.openai.com', 'api.mistral.ai', 'bedrock-runtime.us-east-1.amazonaws.com'];
const NOTE =
  'Patient: Eleanor Whitcombe (DOB 07/19/1948, MRN 60518224) of 48 Alder Lane, Springfield, IL 62704; phone 217-555-0142, e-mail e.whitcombe@example.com. Dr. Marcus Oyelaran saw Mrs. Whitcombe on March 3, 2024.';
const IDENTIFIERS = [
  'Whitcombe',
  'Eleanor',
  'Oyelaran',
  '60518224',
  '217-555-0142',
  'Alder Lane',
  '07/19',
  'March 3',
  'whitcombe@',
];

/** What starts each application. Their own settings would be the same without the guard. */
const CLIENTS = {
  node: ['node', '/clients/node.mjs'],
  python: ['python3', '/clients/python.py'],
  go: ['/clients/go'],
  java: ['java', '-cp', '/clients', 'Client'],
  ruby: ['ruby', '/clients/client.rb'],
  php: ['php', '/clients/client.php'],
  shell: ['/clients/curl.sh'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
type Client = keyof typeof CLIENTS;
const NAMES = Object.keys(CLIENTS) as readonly Client[];

/** What is asked of a provider under an agreement: by the client's own name for the scenario. */
const ANSWERED = /^(anthropic|openai) (plain|stream)/;

let product: Product;
let namespace = '';
let image: ClientsImage;
const results = new Map<Client, readonly ClientResult[]>();
/** What each pod's guard logged. */
const connections = new Map<Client, string>();
/** Pods that run at one time: seven runtimes that start together on two cores outlast their own timeouts. */
const AT_ONCE = 3;

beforeAll(async () => {
  product = await installProduct({ hosts: HOSTS, script: answer });
  const say = (line: string): void => void process.stderr.write(`clients: ${line}\n`);
  image = await clientsImage(say);
  await loadClientsImage(PLACE, image);
  namespace = await makeNamespace({ 'lazaret.dev/guard': 'labelled' });
  await applyYaml(AGREEMENTS.map((agreement) => stringify(agreement)).join('---\n'));
  for (const { metadata } of AGREEMENTS)
    await kubectl(['wait', `provideragreement/${metadata.name}`, '--for=condition=Accepted', '--timeout=60s']);
  const waiting = [...NAMES];
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (let client = waiting.shift(); client !== undefined; client = waiting.shift()) await runToEnd(client);
  });
  await Promise.all(workers);
});
afterAll(async () => {
  await deleteNamespace(namespace);
  await kubectl([
    'delete',
    'provideragreement',
    ...AGREEMENTS.map(({ metadata }) => metadata.name),
    '--ignore-not-found',
  ]);
  await product.leave();
});

const answer = (request: ReceivedRequest) =>
  request.method === 'POST' ? echo(request, { chars: 3, bytes: 977 }) : null;

function agreement(name: string, provider: string, host: string, path: string) {
  const contract = { status: 'signed', ref: 'BAA-2026-014', signedOn: '2026-01-15' };
  const match = { hosts: [host], paths: [`POST ${path}`] };
  const spec = { provider, product: 'API', match, contract };
  return { apiVersion: 'lazaret.dev/v1alpha1', kind: 'ProviderAgreement', metadata: { name }, spec };
}

const AGREEMENTS = [
  agreement('clients-anthropic', 'Anthropic', 'api.anthropic.com', '/v1/messages'),
  agreement('clients-openai', 'OpenAI', 'api.openai.com', '/v1/chat/completions'),
];

/** The bodies for programs that have no SDK, and what the others make theirs of. */
function environment(client: Client): Readonly<Record<string, string>> {
  const messages = [{ role: 'user', content: NOTE }];
  const claude = { model: `claude-${client}`, max_tokens: 64, messages };
  const gpt = { model: `gpt-${client}`, messages };
  return {
    NOTE,
    CLAUDE: claude.model,
    GPT: gpt.model,
    CLAUDE_PLAIN: JSON.stringify(claude),
    CLAUDE_STREAM: JSON.stringify({ ...claude, stream: true }),
    GPT_PLAIN: JSON.stringify(gpt),
    GPT_STREAM: JSON.stringify({ ...gpt, stream: true }),
    OWN_ROOTS: '/etc/ssl/certs/ca-certificates.crt',
    OWN_ROOTS_BODY: JSON.stringify({ ...claude, model: 'own-roots' }),
  };
}

function pod(client: Client) {
  const env = Object.entries(environment(client)).map(([name, value]) => ({ name, value }));
  const securityContext = { runAsUser: 1000, runAsGroup: 1000, runAsNonRoot: true, readOnlyRootFilesystem: true };
  const container = {
    name: 'app',
    image: image.name,
    imagePullPolicy: 'Never',
    command: ['/clients/start.sh', ...CLIENTS[client]],
    env,
    securityContext,
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: client, namespace, labels: { 'lazaret.dev/phi': 'true' } },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      containers: [container],
      volumes: [{ name: 'tmp', emptyDir: {} }],
    },
  };
}

async function runToEnd(client: Client): Promise<void> {
  // The API server learns the parameters of a first installation within half a minute.
  await waitFor(`${client} to be admitted`, async () => (await applyYaml(stringify(pod(client))), true), 90);
  await waitForCondition(namespace, `pod/${client}`, 'jsonpath={.status.phase}=Succeeded', 180);
  const printed = await kubectl(['logs', client, '--container=app', `--namespace=${namespace}`]);
  results.set(client, readResults(printed));
  connections.set(client, await kubectl(['logs', client, '--container=lazaret-sidecar', `--namespace=${namespace}`]));
}

const of = (client: Client, name: string): ClientResult | undefined =>
  results.get(client)?.find((result) => result.name === name);
const answered = (client: Client) => (results.get(client) ?? []).filter(({ name }) => ANSWERED.test(name));
const receivedOf = (client: Client) =>
  product.provider.received.filter(({ body }) => new RegExp(`"(claude|gpt)-${client}"`).test(body.toString()));

describe.each(NAMES)('a client in a guarded pod that knows nothing of it: %s', (client) => {
  it('prints every identifier, plain and streamed', () => {
    const asked = ['anthropic plain', 'anthropic stream', 'openai plain', 'openai stream'];
    const names = answered(client).map(({ name }) => name);
    for (const one of asked)
      expect(
        names.some((name) => name.startsWith(one)),
        one,
      ).toBe(true);
    for (const { name, text } of answered(client)) expect([name, text]).toEqual([name, NOTE]);
  });

  it('sends each request to the provider once, without an identifier', () => {
    const received = receivedOf(client);
    expect(received).toHaveLength(answered(client).length);
    for (const { body, headers, target } of received) {
      const all = `${target}\n${JSON.stringify(headers)}\n${body.toString()}`;
      for (const identifier of IDENTIFIERS) expect(all.includes(identifier), identifier).toBe(false);
    }
  });

  it('is told by name which provider has no agreement', () => {
    expect(of(client, 'no agreement')).toMatchObject({ text: expect.stringContaining('provider_not_approved') });
  });

  it('fails closed where it has roots of its own', () => {
    const alone = (results.get(client) ?? []).filter(({ name }) => name.startsWith('own roots'));
    expect(alone.length).toBeGreaterThan(0);
    for (const { failed, name, text } of alone)
      expect([name, failed, text]).toEqual([name, true, expect.stringMatching(/certificat(e|ion)/)]);
    expect(product.provider.received.some(({ body }) => body.includes('own-roots'))).toBe(false);
  });

  it('runs the image as it was built', async () => {
    expect(results.get(client)?.[0]).toMatchObject({ name: 'image', text: 'unchanged' });
    const { spec, status } = (await getObject(['pod', client, `--namespace=${namespace}`])) as unknown as ReadPod;
    const [container] = spec.containers;
    expect(status.containerStatuses[0]?.imageID).toBe(image.id);
    const [wanted] = pod(client).spec.containers;
    expect(container).toMatchObject({
      image: image.name,
      command: wanted?.command,
      securityContext: wanted?.securityContext,
    });
    const added = podEnvironment(trustPaths(POD_PATH.trust));
    expect(container?.env).toEqual([...(wanted?.env ?? []), ...added]);
    expect(container?.volumeMounts.map(({ mountPath }) => mountPath)).toEqual(['/tmp', POD_PATH.trust]);
  });
});

interface ReadPod {
  readonly status: { readonly containerStatuses: readonly { readonly imageID: string }[] };
  readonly spec: {
    readonly containers: readonly {
      readonly env: readonly object[];
      readonly volumeMounts: readonly { readonly mountPath: string }[];
    }[];
  };
}

it('boto3 is refused by name before Bedrock sees anything', () => {
  // Bedrock's many hosts are not in the pod's authority without an agreement, so the refusal is a TLS alert; its reason is in the log.
  expect(of('python', 'no agreement by boto3')).toMatchObject({
    failed: true,
    text: expect.stringMatching(/access.denied/i),
  });
  const refused =
    connections
      .get('python')
      ?.split('\n')
      .filter((line) => line.includes('bedrock-runtime.')) ?? [];
  expect(refused.length).toBeGreaterThan(0);
  for (const line of refused)
    expect(JSON.parse(line)).toMatchObject({ decision: 'refuse', reason: 'provider_not_approved' });
  expect(product.provider.received.filter(({ host }) => host.endsWith('amazonaws.com'))).toEqual([]);
});
