// An application that calls a provider when it is told to, by HTTP at its pod's address: what it does needs no exec, so it goes on while the
// node's runtime is away, and a stream of minutes can be looked at.
import type { CallResult } from './product-apps.ts';
import { clinicalBody, startApp } from './product-apps.ts';
import { getObject } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

/** A call as far as it has come. */
export interface AppCall extends CallResult {
  readonly exchange: string | null;
  /** What the guard says of a refusal; null where it let the answer pass. */
  readonly reason: string | null;
  readonly done: boolean;
  /** The code of the error that ended the answer, or null. */
  readonly fault: string | null;
}

/** How a call is made. */
export interface CallOptions {
  /** Fields over those of `clinicalBody`. */
  readonly body?: object;
  /** When the application gives up, ms; default: never. */
  readonly patienceMs?: number;
}

const SCRIPT = `
import { createServer } from 'node:http';
const calls = [];
const MESSAGES = 'https://api.anthropic.com/v1/messages';
const headers = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', 'x-api-key': 'sk-ant-api03-of-the-test' };
const codeOf = (error) => [error.cause?.code, error.code, error.name].find((code) => typeof code === 'string');
function call({ body, patienceMs }) {
  const state = { status: 0, text: '', exchange: null, reason: null, done: false, fault: null };
  const id = calls.push(state) - 1;
  const run = async () => {
    const signal = patienceMs === undefined ? undefined : AbortSignal.timeout(patienceMs);
    const answer = await fetch(MESSAGES, { method: 'POST', headers, body: JSON.stringify(body), signal });
    state.status = answer.status;
    state.exchange = answer.headers.get('x-lazaret-exchange');
    state.reason = answer.headers.get('x-lazaret-reason');
    const decoder = new TextDecoder();
    for await (const part of answer.body) state.text += decoder.decode(part, { stream: true });
  };
  const ended = run().catch((error) => { state.fault = codeOf(error); }).then(() => { state.done = true; });
  return { id, state, ended };
}
process.on('SIGTERM', () => process.exit(0));
let load = null;
async function work(asked) {
  const mine = load = { on: true, states: [] };
  while (mine.on) {
    const { id, state, ended } = call(asked);
    await ended;
    // An answer takes memory that the load has no use for.
    calls[id] = null;
    mine.states.push({ ...state, text: state.status === 200 ? '' : state.text.slice(0, 400) });
    await new Promise((resolve) => setTimeout(resolve, asked.everyMs));
  }
}
createServer(async (request, response) => {
  let text = '';
  for await (const part of request) text += part;
  const asked = text === '' ? {} : JSON.parse(text);
  const path = request.url;
  const say = (value) => response.end(JSON.stringify(value ?? null));
  if (path === '/call') say(call(asked).id);
  else if (path === '/load') { work(asked); say(0); }
  else if (path === '/unload') { load.on = false; say(load.states); }
  else if (path === '/short') say({ ...calls[asked.id], text: calls[asked.id].text.length });
  else say(calls[asked.id]);
}).listen(8080);
`;

/** The application in its pod. */
export interface CallingApp {
  readonly namespace: string;
  readonly pod: string;
  /** `NAMESPACE/POD`, as the list of expected chains has it. */
  readonly name: string;
  /** @returns the number of a call that is under way */
  readonly start: (options?: CallOptions) => Promise<number>;
  /** How far a call has come. */
  readonly look: (id: number) => Promise<AppCall>;
  /** Makes a call and waits for its end. */
  readonly call: (options?: CallOptions) => Promise<AppCall>;
  /** Makes calls one after another while something else is done. @returns them all */
  readonly callAllTheWhile: (work: () => Promise<void>) => Promise<readonly AppCall[]>;
  /** Asks for a path of the pod's guard, such as `/metrics`. */
  readonly askGuard: (path: string) => Promise<string>;
}

const EVERY_MS = 100;

/** Starts the application in a guarded pod. @param spec fields over those of the pod's specification */
export async function startCallingApp(namespace: string, pod: string, spec: object = {}): Promise<CallingApp> {
  await startApp(namespace, pod, { script: SCRIPT, spec });
  const { status } = (await getObject([`pod/${pod}`, `--namespace=${namespace}`])) as unknown as {
    readonly status: { readonly podIP: string };
  };
  const ask = async <T>(path: string, body: object = {}): Promise<T> => {
    const answer = await fetch(`http://${status.podIP}:8080${path}`, { method: 'POST', body: JSON.stringify(body) });
    return (await answer.json()) as T;
  };
  await waitFor(`${pod} to listen`, async () => (await ask('/none'), true as const));
  const asked = ({ body, patienceMs }: CallOptions = {}): object => ({
    body: clinicalBody(body),
    ...(patienceMs === undefined ? {} : { patienceMs }),
  });
  const start = (options?: CallOptions): Promise<number> => ask('/call', asked(options));
  const look = (id: number): Promise<AppCall> => ask('/look', { id });
  const askGuard = async (path: string): Promise<string> => (await fetch(`http://${status.podIP}:15020${path}`)).text();
  return {
    namespace,
    pod,
    name: `${namespace}/${pod}`,
    start,
    look,
    askGuard,
    call: async (options) => {
      const id = await start(options);
      const isDone = async (): Promise<true | null> =>
        (await ask<{ readonly done: boolean }>('/short', { id })).done ? true : null;
      await waitFor(`the end of a call of ${pod}`, isDone, 120);
      return look(id);
    },
    callAllTheWhile: async (work) => {
      await ask('/load', { ...asked(), everyMs: EVERY_MS });
      try {
        await work();
      } catch (error) {
        await ask('/unload');
        throw error;
      }
      return ask('/unload');
    },
  };
}
