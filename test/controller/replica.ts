// A whole controller against the stand-in of the API server, and a caller that speaks to its webhook as an API server does.
import { type Agent, request } from 'node:https';
import { pino } from 'pino';
import type { Clock } from '#controller/clock.ts';
import { sleep } from '#controller/cluster/backoff.ts';
import { parseConfig } from '#controller/config.ts';
import { type Controller, startController } from '#controller/controller.ts';
import type { FakeApi } from '#test/fake/api-server.ts';

export const HOOKS = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'].map(
  (kind) => `/apis/admissionregistration.k8s.io/v1/${kind}/lazaret`,
);
export const VALUES = '/api/v1/namespaces/lazaret/configmaps/lazaret-controller';

/** Puts into the stand-in what an installed release has. */
export function installRelease(fake: FakeApi, values = 'network: {resolvers: []}\n'): void {
  fake.put('/api/v1/namespaces/phi', { metadata: { labels: { 'lazaret.dev/guard': 'labelled' } } });
  fake.put('/api/v1/namespaces/lazaret', { metadata: {} });
  fake.put('/api/v1/namespaces/kube-system/services/kube-dns', { metadata: {}, spec: { clusterIPs: ['10.96.0.10'] } });
  fake.put(VALUES, { metadata: {}, data: { 'values.yaml': values } });
  for (const path of HOOKS)
    fake.put(path, { metadata: {}, webhooks: [{ name: 'pods.lazaret.dev', clientConfig: {} }] });
}

/** A controller under test and what it logged. */
export interface Replica {
  readonly controller: Controller;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly metrics: () => Promise<string>;
}

/** @param environment over the defaults of the tests */
export async function startReplica(
  fake: FakeApi,
  environment: Readonly<Record<string, string>> = {},
  clock: Clock = { now: Date.now, sleep: (ms, signal) => sleep(Math.min(ms, 50), signal) },
): Promise<Replica> {
  const parsed = parseConfig({
    LAZARET_NAMESPACE: 'lazaret',
    LAZARET_FULLNAME: 'lazaret',
    LAZARET_POD_NAME: 'controller-a',
    LAZARET_WEBHOOK_LISTEN: '127.0.0.1:0',
    LAZARET_BUNDLE_LISTEN: '127.0.0.1:0',
    LAZARET_OPS: '127.0.0.1:0',
    ...environment,
  });
  if (!parsed.ok) throw new Error(parsed.faults.join('; '));
  const lines: Readonly<Record<string, unknown>>[] = [];
  const log = pino(
    { level: 'debug' },
    { write: (line: string) => void lines.push(JSON.parse(line) as Readonly<Record<string, unknown>>) },
  );
  const none = { ca: undefined, cert: undefined, key: undefined, servername: undefined, authorization: undefined };
  const controller = await startController({
    config: parsed.config,
    credentials: { server: fake.url, current: () => none },
    clock,
    random: () => 0,
    log,
    version: '0.0.0-test',
  });
  const metrics = async () => (await fetch(`http://127.0.0.1:${controller.opsPort}/metrics`)).text();
  return { controller, lines, metrics };
}

/** What a webhook answered. */
export interface HookAnswer {
  readonly status: number;
  readonly body: {
    readonly message?: string;
    readonly response?: {
      readonly uid: string;
      readonly allowed: boolean;
      readonly patch?: string;
      readonly warnings?: readonly string[];
      readonly status?: { readonly message: string; readonly code: number };
    };
  };
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Calls a webhook with the trust of its caBundle. */
export function callHook(
  target: {
    readonly port: number;
    readonly path: string;
    readonly ca: string;
    readonly agent?: Agent;
    readonly method?: string;
  },
  body: unknown,
): Promise<HookAnswer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const { port, path, ca, agent, method = 'POST' } = target;
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        servername: 'lazaret-controller.lazaret.svc',
        port,
        path,
        ca,
        method,
        ...(agent === undefined ? {} : { agent }),
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      (response) => {
        let answer = '';
        response.on('data', (part: Buffer) => (answer += part.toString()));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: JSON.parse(answer) as HookAnswer['body'],
            headers: response.headers,
          }),
        );
        response.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(text);
  });
}

/** The caBundle of the first webhook as the API server has it. */
export function caBundle(fake: FakeApi): string {
  const [hook] = (fake.get(HOOKS[0] ?? '')?.webhooks ?? []) as { clientConfig: { caBundle?: string } }[];
  return Buffer.from(hook?.clientConfig.caBundle ?? '', 'base64').toString();
}

/** A file of a Secret in the release's namespace; empty where there is none. */
export function secretText(fake: FakeApi, name: string, file: string): string {
  const data = (fake.get(`/api/v1/namespaces/lazaret/secrets/${name}`)?.data ?? {}) as Readonly<Record<string, string>>;
  return Buffer.from(data[file] ?? '', 'base64').toString();
}

let reviews = 0;

/** A review of a pod's creation; `request` is laid over it. */
export function podReview(pod: unknown, request: Readonly<Record<string, unknown>> = {}) {
  reviews += 1;
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: `review-${reviews}`,
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      operation: 'CREATE',
      namespace: 'phi',
      userInfo: { username: 'developer' },
      object: pod,
      ...request,
    },
  };
}
