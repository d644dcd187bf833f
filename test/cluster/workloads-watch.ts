// How soon a change of policy reaches a guarded pod: requests go out of it all the time, and each answer is told with its moments.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CLIENTS } from './place.ts';
import { clinicalBody } from './product-apps.ts';
import { PLACE } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';
import { ROOTS, STUDY, WEB_PORT } from './workloads-stage.ts';

/** What is asked again and again; `held` is one connection to the study's host that is kept as long as it lives. */
export type Watched = 'anthropic' | 'openai' | 'study' | 'held';

/** One request and its end, milliseconds since 1970 by the clock that this machine and the pod share. */
export interface Answered {
  readonly what: Watched;
  readonly sentAt: number;
  readonly at: number;
  /** 0: the connection was refused. */
  readonly status: number;
  /** A refusal's reason, or the connection's error; empty for an answer. */
  readonly reason: string;
}

/** Requests that go on until `stop`. */
export interface Watch {
  readonly answers: readonly Answered[];
  /** Waits for the first answer of a kind, among requests that were sent after a moment. @throws when time is up */
  readonly first: (what: Watched, after: number, kind: 'served' | 'refused', seconds?: number) => Promise<Answered>;
  readonly stop: () => void;
}

const EVERY_MS = 100;

/** Each request is new to the guard: a connection to a listed host would stay open, so it gets one of its own. */
const SCRIPT = `
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:tls';
const ca = readFileSync('${ROOTS}');
const headers = { 'content-type': 'application/json' };
const anthropic = JSON.stringify(${JSON.stringify(clinicalBody())});
const openai = JSON.stringify({ model: 'gpt-5', messages: JSON.parse(anthropic).messages });
const provider = (url, body, more) => async () => {
  const answer = await fetch(url, { method: 'POST', headers: { ...headers, ...more }, body });
  await answer.arrayBuffer();
  return { status: answer.status, reason: answer.headers.get('x-lazaret-reason') ?? '' };
};
const study = () => new Promise((resolve, reject) => {
  // The certificate is for the server's other name.
  const sent = request({ host: '${STUDY}', port: ${WEB_PORT}, ca, agent: false, checkServerIdentity: () => undefined }, (answer) => {
    answer.resume().on('end', () => resolve({ status: answer.statusCode, reason: '' }));
  });
  sent.on('error', reject).end();
});
const say = (what, sentAt, status, reason) => console.log(JSON.stringify({ what, sentAt, at: Date.now(), status, reason }));
// Answers when the connection is there, and again when it is gone.
const held = () => new Promise((resolve) => {
  let reason = 'closed';
  const socket = connect({ host: '${STUDY}', port: ${WEB_PORT}, servername: '${STUDY}', ca, checkServerIdentity: () => undefined }, () => say('held', Date.now(), 200, ''));
  socket.on('error', (error) => { reason = error.message; }).on('close', () => resolve({ status: 0, reason })).resume();
});
const asked = {
  held,
  anthropic: provider('https://api.anthropic.com/v1/messages', anthropic, { 'anthropic-version': '2023-06-01', 'x-api-key': 'sk-ant-api03-of-the-test' }),
  openai: provider('https://api.openai.com/v1/chat/completions', openai, { authorization: 'Bearer sk-proj-of-the-test-0123456789' }),
  study,
};
const ask = async (what) => {
  const sentAt = Date.now();
  const { status, reason } = await asked[what]().catch((error) => ({ status: 0, reason: String(error.cause?.message ?? error.message) }));
  say(what, what === 'held' ? Date.now() : sentAt, status, reason);
};
for (const what of Object.keys(asked)) {
  let busy = false;
  setInterval(async () => {
    if (busy) return;
    busy = true;
    await ask(what);
    busy = false;
  }, ${EVERY_MS});
}
`;

/** Starts to ask from a pod of the workloads image. */
export function startWatch(namespace: string, name: string): Watch {
  const command = ['exec', name, `--namespace=${namespace}`, '--container=app', '--', 'node', '--input-type=module'];
  const env = { ...process.env, KUBECONFIG: PLACE.kubeconfig };
  const child = spawn(join(CLIENTS, 'kubectl'), [...command, '--eval', SCRIPT], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const answers: Answered[] = [];
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said = `${said}${bytes.toString()}`.slice(-2_000)));
  createInterface(child.stdout).on('line', (line) => answers.push(JSON.parse(line) as Answered));
  const first: Watch['first'] = (what, after, kind, seconds = 60) =>
    waitFor(
      `${what} to be ${kind}`,
      () => {
        if (child.exitCode !== null) throw new Error(`the watch ended: ${said}`);
        const found = answers.find(
          (answer) => answer.what === what && answer.sentAt >= after && (answer.status === 200) === (kind === 'served'),
        );
        return Promise.resolve(found ?? null);
      },
      seconds,
    );
  return { answers, first, stop: () => void child.kill() };
}
