// The scene of ordinary workloads: a guarded namespace with a client, a namespace outside the guard with databases and servers, and one
// host of the world that policy lists.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Script } from '#test/fake/answer.ts';
import { readHosts, setHosts } from './cluster-dns.ts';
import { installProduct, type Product } from './install.ts';
import { PHI } from './product-apps.ts';
import { GUARDED } from './product-traffic.ts';
import {
  applyYaml,
  deleteNamespace,
  execInPod,
  kubectl,
  makeNamespace,
  PLACE,
  waitForCondition,
} from './test-cluster.ts';
import { waitFor } from './wait-for.ts';
import { loadWorkloadsImage, WORKER } from './workloads/image.ts';

/** Names of one server of the world: policy lists the first; the second is reached only by an exemption. */
export const LISTED = 'workloads.example.org';
export const STUDY = 'study.example.org';
const PROVIDERS = ['api.anthropic.com', 'api.openai.com'] as const;

/** Where the world's server serves gRPC and the web. */
export const GRPC_PORT = 8443;
export const WEB_PORT = 8444;
/** Where a pod finds the root of the world's certificates, as an application would bring along its own. */
export const ROOTS = '/roots/ca.crt';

export interface WorkloadsStage {
  readonly product: Product;
  readonly image: string;
  /** Guarded. */
  readonly clinic: string;
  /** Not guarded; holds the pod and Service `server`. */
  readonly inside: string;
  readonly leave: () => Promise<void>;
}

const say = (line: string): void => void process.stderr.write(`workloads: ${line}\n`);

/** Installs or takes over the product, and sets the scene. */
export async function setWorkloads(script: Script): Promise<WorkloadsStage> {
  const values = `egress: {destinations: [${LISTED}]}\n`;
  const product = await installProduct({ hosts: PROVIDERS, script, values });
  const [image, clinic, inside] = await Promise.all([
    loadWorkloadsImage(PLACE, say),
    makeNamespace(GUARDED),
    makeNamespace(),
  ]);
  const { root, issue } = product.provider.authority;
  const { certificate, key } = await issue(LISTED);
  const objects = [
    configMap(clinic, 'roots', { 'ca.crt': root }),
    configMap(inside, 'certificate', { 'tls.crt': certificate, 'tls.key': key }),
    ...server(inside, image),
    ...agreements(),
    pod({ namespace: clinic, name: 'client', labels: PHI, spec: clientSpec(image) }),
  ];
  // Just after an upgrade of the release a replica that ends may still be asked, and what cannot be judged is refused.
  await waitFor('the scene', () => applyAll(objects).then(() => true), 60);
  await Promise.all([
    waitForCondition(clinic, 'pod/client', 'condition=Ready', 120),
    waitForCondition(inside, 'pod/server', 'condition=Ready', 120),
  ]);
  const account = `--serviceaccount=${clinic}:default`;
  await kubectl(['create', 'rolebinding', 'editor', '--clusterrole=edit', account, `--namespace=${clinic}`]);
  const world = await openWorld(await addressOf(inside, 'service/server'));
  const stage = { product, image, clinic, inside };
  return { ...stage, leave: () => leaveStage(stage, world) };
}

/** A pod's object. */
function pod({
  namespace,
  name,
  labels = {},
  spec,
}: {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec: object;
}): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, labels }, spec };
}

/** Applies objects. As JSON: kubectl takes a bare `no` of YAML for a boolean. */
export async function applyAll(objects: readonly object[]): Promise<void> {
  await applyYaml(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
}

/** Runs a program in the guarded client. @throws with what it said, when it fails @returns its standard output */
export async function runInClient(stage: WorkloadsStage, command: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await execInPod(stage.clinic, 'client', command, 'app');
  if (status !== 0) throw new Error(`${command.slice(0, 3).join(' ')}: ${stdout}${stderr}`);
  return stdout.trim();
}

/** An agreement for one provider's operation of its own host. */
export function agreement(
  name: string,
  match: { readonly hosts: readonly string[]; readonly paths: readonly string[] },
  contract: object = {},
) {
  const signed = { status: 'signed', ref: 'BAA-2026-014', signedOn: '2026-01-15', ...contract };
  const spec = { provider: 'Provider', product: 'API', match, contract: signed };
  return { apiVersion: 'lazaret.dev/v1alpha1', kind: 'ProviderAgreement', metadata: { name }, spec };
}

export const ANTHROPIC = { hosts: ['api.anthropic.com'], paths: ['POST /v1/messages'] } as const;
export const OPENAI = { hosts: ['api.openai.com'], paths: ['POST /v1/chat/completions'] } as const;

const agreements = () => [
  agreement('workloads-anthropic', ANTHROPIC),
  // The pod's authority may speak for hosts that an agreement named when it started.
  agreement('workloads-openai', OPENAI),
];

function configMap(namespace: string, name: string, data: Readonly<Record<string, string>>): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data };
}

function clientSpec(image: string): object {
  const mounts = [{ name: 'roots', mountPath: '/roots' }];
  return {
    terminationGracePeriodSeconds: 1,
    containers: [container({ image, name: 'app', command: ['sleep', 'infinity'], mounts })],
    volumes: [{ name: 'roots', configMap: { name: 'roots' } }],
  };
}

/** A container of the workloads image. */
function container({
  image,
  name,
  command,
  mounts = [],
  more = {},
}: {
  readonly image: string;
  readonly name: string;
  readonly command: readonly string[];
  readonly mounts?: readonly object[];
  readonly more?: object;
}): object {
  const securityContext = { runAsUser: WORKER, runAsGroup: WORKER };
  return { name, image, imagePullPolicy: 'Never', command, securityContext, volumeMounts: mounts, ...more };
}

const POSTGRES = `
set -e
initdb --pgdata=/data/db --username=clinic --auth=trust --no-sync >/dev/null
echo 'host all all all trust' >> /data/db/pg_hba.conf
install -m 600 /certificate/tls.key /data/tls.key
exec postgres -D /data/db -h '*' -c unix_socket_directories=/tmp -c fsync=off -c jit=off \\
  -c ssl=on -c ssl_cert_file=/certificate/tls.crt -c ssl_key_file=/data/tls.key
`;

const REDIS = ['redis-server', '--bind', '0.0.0.0', '--protected-mode', 'no', '--dir', '/tmp', '--save', ''];

function server(namespace: string, image: string): readonly object[] {
  const certificate = { name: 'certificate', mountPath: '/certificate' };
  const listening = (port: number) => ({ more: { readinessProbe: { tcpSocket: { port }, periodSeconds: 1 } } });
  const containers = [
    container({ image, name: 'programs', command: ['workloads', 'serve', '/certificate'], mounts: [certificate] }),
    container({
      image,
      name: 'postgres',
      command: ['sh', '-c', POSTGRES],
      mounts: [certificate, { name: 'data', mountPath: '/data' }],
      ...listening(5432),
    }),
    container({ image, name: 'redis', command: REDIS, ...listening(6379) }),
  ];
  const volumes = [
    { name: 'certificate', configMap: { name: 'certificate' } },
    { name: 'data', emptyDir: {} },
  ];
  const ports = [5432, 6379, 7000, 50051, GRPC_PORT, WEB_PORT].map((port) => ({ name: `port-${port}`, port }));
  const spec = { selector: { app: 'server' }, ports };
  return [
    { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name: 'server' }, spec },
    pod({
      namespace,
      name: 'server',
      labels: { app: 'server' },
      spec: { terminationGracePeriodSeconds: 1, containers, volumes },
    }),
  ];
}

/** Lets the world's names lead to an address of this machine, and from there to the server. */
async function openWorld(service: string): Promise<{ readonly close: () => void }> {
  const address = PLACE.worldAddresses[1] ?? '';
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  for (const port of [GRPC_PORT, WEB_PORT]) {
    const relay = createServer({ allowHalfOpen: true }, (outer) => {
      const inner = connect({ host: service, port, allowHalfOpen: true });
      outer.pipe(inner).pipe(outer);
      for (const [socket, other] of [
        [outer, inner],
        [inner, outer],
      ] as const) {
        sockets.add(socket);
        socket.on('error', () => other.destroy()).on('close', () => sockets.delete(socket));
      }
    });
    relay.listen(port, address);
    await once(relay, 'listening');
    servers.push(relay);
  }
  await setHosts(PLACE, { ...(await readHosts(PLACE)), [LISTED]: address, [STUDY]: address });
  return {
    close: () => {
      for (const one of servers) one.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function addressOf(namespace: string, service: string): Promise<string> {
  return (await kubectl(['get', service, `--namespace=${namespace}`, '--output=jsonpath={.spec.clusterIP}'])).trim();
}

async function leaveStage(
  { clinic, inside, product }: Omit<WorkloadsStage, 'leave'>,
  world: { readonly close: () => void },
): Promise<void> {
  world.close();
  const others = Object.entries(await readHosts(PLACE)).filter(([name]) => name !== LISTED && name !== STUDY);
  await setHosts(PLACE, Object.fromEntries(others));
  const names = agreements().map(({ metadata }) => metadata.name);
  await kubectl(['delete', 'provideragreement', ...names, '--ignore-not-found']);
  await Promise.all([clinic, inside].map(deleteNamespace));
  await product.leave();
}
