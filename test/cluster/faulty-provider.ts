// A provider that does what a test says, chosen by the model that the application asks for; every other request is answered with what it said.
import type { RawAnswer, ReceivedRequest, Script, ScriptedAnswer, Step } from '#test/fake/answer.ts';
import { cutEvery } from '#test/fake/answer.ts';
import { answerIn, echo, lastUserText } from '#test/fake/dialect-answer.ts';

type Answer = (request: ReceivedRequest) => ScriptedAnswer | RawAnswer;

/** Answers that stay as they are, by model. */
const FAULTS: Readonly<Record<string, Answer>> = {
  'reset-at-once': () => ({ raw: [{ do: 'reset' }] }),
  'reset-in-body': (request) => broken(request, (body) => [...half(body), { do: 'reset' }]),
  'reset-in-stream': (request) => {
    const { headers, steps } = echo(request, { chars: 8, bytes: 200 });
    return { ...(headers === undefined ? {} : { headers }), steps: [...steps.slice(0, -3), { do: 'reset' }] };
  },
  'length-too-long': (request) => broken(request, (body) => [write(body)], 500),
  'length-too-short': (request) => broken(request, (body) => [write(body)], -60),
  'chunk-broken': (request) => {
    const body = plainBody(request);
    const sizes = `${(body.length - 40).toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    return { raw: [write(`${HEAD}transfer-encoding: chunked\r\n\r\n${sizes}`)] };
  },
  'chunk-unfinished': (request) => {
    const body = plainBody(request);
    return { raw: [write(`${HEAD}transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`)] };
  },
  'two-lengths': (request) => {
    const body = plainBody(request);
    return { raw: [write(`${HEAD}content-length: ${body.length}\r\ncontent-length: 5\r\n\r\n${body}`)] };
  },
  'no-http': () => ({ raw: [write('220 mail.example.org ESMTP\r\n')] }),
  silent: () => ({ raw: [{ do: 'stall' }] }),
  'stream-stalls': (request) => {
    const { headers, steps } = echo(request, { chars: 8, bytes: 200 });
    return { ...(headers === undefined ? {} : { headers }), steps: [...steps.slice(0, -3), { do: 'stall' }] };
  },
};

export type FaultName = keyof typeof FAULTS;

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n';

const write = (bytes: string): Step => ({ do: 'write', bytes: Buffer.from(bytes) });

function plainBody(request: ReceivedRequest): string {
  const { steps } = echo(request);
  return steps.map((step) => (step.do === 'write' ? Buffer.from(step.bytes).toString('utf8') : '')).join('');
}

/** @param wrong added to the true length */
function broken(request: ReceivedRequest, steps: (body: string) => readonly Step[], wrong = 0): RawAnswer {
  const body = plainBody(request);
  return { raw: [write(`${HEAD}content-length: ${Buffer.byteLength(body) + wrong}\r\n\r\n`), ...steps(body)] };
}

function half(body: string): readonly Step[] {
  return [write(body.slice(0, body.length / 2))];
}

/** A stream that stops in the middle until the test lets it go on. */
export interface Gate {
  /** The model that asks for it. */
  readonly model: string;
  readonly open: () => void;
}

/** A provider whose gates a test opens. */
export interface FaultyProvider {
  readonly script: Script;
  readonly gate: (name: string) => Gate;
}

/** @returns a script that answers by the model: a name of `FAULTS`, a gate, `large-BYTES`, else with what it was told */
export function faultyProvider(): FaultyProvider {
  const gates = new Map<string, Promise<void>>();
  const script: Script = (request) => {
    const model = modelOf(request);
    const gate = gates.get(model);
    if (gate !== undefined) return gated(request, gate);
    const [, bytes] = /^large-(\d+)$/.exec(model) ?? [];
    if (bytes !== undefined) return large(request, Number(bytes));
    return FAULTS[model]?.(request) ?? echo(request);
  };
  const gate = (name: string): Gate => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gates.set(name, promise);
    return { model: name, open: resolve };
  };
  return { script, gate };
}

function gated(request: ReceivedRequest, gate: Promise<void>): ScriptedAnswer {
  const { headers, steps } = echo(request, { chars: 8, bytes: 200 });
  const middle = Math.floor(steps.length / 2);
  return {
    ...(headers === undefined ? {} : { headers }),
    steps: [...steps.slice(0, middle), { do: 'wait', until: gate }, ...steps.slice(middle)],
  };
}

/** An answer of so many bytes with what was said at its end. */
function large(request: ReceivedRequest, bytes: number): ScriptedAnswer {
  const line = 'Nothing in this line is worth a second look, and there are many of them. ';
  const text = line.repeat(Math.ceil(bytes / line.length)) + lastUserText(request);
  const { headers, steps } = answerIn(request, [{ kind: 'text', text }]);
  const whole = Buffer.concat(steps.map((step) => (step.do === 'write' ? step.bytes : Buffer.alloc(0))));
  return { ...(headers === undefined ? {} : { headers }), steps: cutEvery(whole, 1024 * 1024) };
}

function modelOf(request: ReceivedRequest): string {
  const body: unknown = JSON.parse(request.body.toString('utf8'));
  const model: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'model') : null;
  return typeof model === 'string' ? model : '';
}
