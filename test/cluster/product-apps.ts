// Applications as they could be anywhere, in pods of the test cluster, and what tests ask of them.
import { BASE_IMAGE } from '../../tools/image/base-image.ts';
import { applyYaml, execInPod, kubectl, waitForCondition } from './test-cluster.ts';

export const PHI = { 'lazaret.dev/phi': 'true' } as const;

/** A patient who does not exist, and the identifiers by which a provider would know her. */
export const CLINICAL =
  'Patient Maria Gonzalez, MRN 48120937, DOB 03/14/1951, phone (231) 555-0148, has type 2 diabetes.';
export const IDENTIFIERS = ['Gonzalez', '48120937', '03/14/1951', '555-0148'] as const;

/** What may be said of an application's pod. */
export interface AppOptions {
  readonly labels?: Readonly<Record<string, string>>;
  /** A JavaScript module; default: nothing, for as long as nobody ends it. */
  readonly script?: string;
  /** Fields of the pod's spec, over those made here. */
  readonly spec?: object;
}

/** A container of the base image that runs a JavaScript module. */
export function nodeContainer(name: string, script: string): object {
  return {
    name,
    image: BASE_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '--input-type=module', '--eval'],
    args: [script],
  };
}

/** The spec of a pod that runs one module. */
export function appSpec({ script = 'setInterval(() => {}, 1e6);', spec = {} }: AppOptions = {}): object {
  return { terminationGracePeriodSeconds: 1, containers: [nodeContainer('app', script)], ...spec };
}

/** Creates an application's pod, guarded where its namespace is and nothing else is said. */
export async function createApp(namespace: string, name: string, options: AppOptions = {}): Promise<void> {
  const { labels = PHI } = options;
  const metadata = { namespace, name, labels };
  await applyYaml(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec: appSpec(options) }));
}

/** Creates an application's pod and waits until it is ready. */
export async function startApp(namespace: string, name: string, options: AppOptions = {}): Promise<void> {
  await createApp(namespace, name, options);
  await waitForCondition(namespace, `pod/${name}`, 'condition=Ready');
}

/**
 * Runs a JavaScript module in a pod's application container.
 * @param script prints one JSON value
 * @throws with what it said, where it printed none
 */
export async function runInApp<T>(namespace: string, pod: string, script: string): Promise<T> {
  const { stdout, stderr } = await execInPod(namespace, pod, ['node', '--input-type=module', '--eval', script], 'app');
  try {
    return JSON.parse(stdout) as T;
  } catch {
    throw new Error(`${pod} printed no answer: ${stdout}${stderr}`);
  }
}

/** How a call ended: an HTTP answer, or the error of the connection. */
export interface CallResult {
  /** 0: there was no answer. */
  readonly status: number;
  readonly text: string;
  /** The guard's number for it; null where it did not read the call. */
  readonly exchange?: string | null;
}

/** The body of a request for Anthropic's API. */
export function clinicalBody(more: object = {}): object {
  const messages = [{ role: 'user', content: CLINICAL }];
  return { model: 'claude-sonnet-4-5', max_tokens: 100, messages, ...more };
}

/** The source of a function `call(url, body)` for scripts in pods. */
export const CALL = `
const call = async (url, body) => {
  try {
    const answer = await fetch(url, body === undefined ? {} : {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', 'x-api-key': 'sk-ant-api03-of-the-test' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, text: await answer.text(), exchange: answer.headers.get('x-lazaret-exchange') };
  } catch (error) {
    return { status: 0, text: String(error.cause?.code ?? error.cause?.message ?? error.message) };
  }
};
const MESSAGES = 'https://api.anthropic.com/v1/messages';
`;

/** Calls a URL from a pod: GET, or POST where there is a body. */
export function callFrom(namespace: string, pod: string, url: string, body?: object): Promise<CallResult> {
  const given = body === undefined ? '' : `, ${JSON.stringify(body)}`;
  return runInApp(namespace, pod, `${CALL} console.log(JSON.stringify(await call(${JSON.stringify(url)}${given})));`);
}

/** Calls Anthropic's API with a patient's data. */
export function callProvider(namespace: string, pod: string, more: object = {}): Promise<CallResult> {
  return callFrom(namespace, pod, 'https://api.anthropic.com/v1/messages', clinicalBody(more));
}

/**
 * Calls the provider again and again from a pod until it answers with a status.
 * @returns when it did, ms since 1970 by the clock that this machine and the pod share, and how often it was asked before
 */
export function callUntil(
  namespace: string,
  pod: string,
  status: number,
): Promise<{ readonly at: number; readonly before: number; readonly text: string }> {
  const script = `${CALL}
    const body = ${JSON.stringify(clinicalBody())};
    const end = Date.now() + 30_000;
    let before = 0;
    let last = { status: -1 };
    for (; Date.now() < end; before++) {
      last = await call(MESSAGES, body);
      if (last.status === ${status}) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    console.log(JSON.stringify({ at: Date.now(), before, text: last.status === ${status} ? last.text : 'never: ' + last.status }));
  `;
  return runInApp(namespace, pod, script);
}

/** What a pod's container printed. */
export function logsOf(namespace: string, object: string, container = 'app'): Promise<string> {
  return kubectl(['logs', object, `--namespace=${namespace}`, `--container=${container}`]);
}
