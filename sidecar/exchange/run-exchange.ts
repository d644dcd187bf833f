import { LIMIT } from '#contract/limit.ts';
import type { Refusal } from '#contract/reason.ts';
import { dialectFor } from '#llm/dialect.ts';
import { decideHead } from '../policy/decide-exchange.ts';
import { answerExchange, type Answering } from './answer.ts';
import type { Ledger } from './evidence.ts';
import type { Share } from './body-budget.ts';
import type { ExchangePorts } from './exchange-ports.ts';
import { upstreamFields } from './header-fields.ts';
import { headFacts } from './head-facts.ts';
import { identifyUser } from './identify-user.ts';
import { observeExchange } from './observe-exchange.ts';
import type { ExchangeHandler, InboundRequest, Reply, UpstreamResponse } from './ports.ts';
import { type PrepareInput, prepareRequest, type PreparedRequest } from './prepare-request.ts';
import { readRequest } from './read-request.ts';
import { outcomeFacts, refusedFacts, requestFacts } from './record-facts.ts';
import { cutStream, reasonOf, sendRefusal } from './refusal.ts';
import { Tally } from './tally.ts';

/** One exchange while it runs. */
export interface Run {
  readonly ports: ExchangePorts;
  readonly request: InboundRequest;
  readonly reply: Reply;
  readonly tally: Tally;
  /** How far it came: what a fault has to undo. */
  readonly progress: { ledger: Ledger | null; headSent: boolean };
}

/** Makes the handler of all exchanges. It never rejects: whatever happens ends in an answer or a cut, and a report. */
export function createExchangeHandler(ports: ExchangePorts): ExchangeHandler {
  return async (request, reply) => {
    const run: Run = { ports, request, reply, tally: new Tally(ports), progress: { ledger: null, headSent: false } };
    try {
      await runExchange(run);
    } catch (fault) {
      await rescue(run, fault);
    } finally {
      ports.report(run.tally.report(request));
    }
  };
}

/**
 * The product's promise, in order: nothing leaves that policy does not cover; nothing leaves that was not examined and
 * redacted; nothing leaves before its record is durable; nothing comes back unrestored; nothing ends unrecorded.
 */
async function runExchange(run: Run): Promise<void> {
  const { ports, request, tally } = run;
  const operation = dialectFor(request.method, request.target);
  const force = ports.policy();
  const user = await identifyUser(request, typeof force.policy === 'string' ? null : force.policy, ports.now());
  const facts = headFacts(request, operation, 'reason' in user ? { attribution: 'workload', id: null } : user);
  const head = decideHead(ports.policy(), facts, ports.now());
  tally.decided(head, operation);
  if (head.kind === 'refuse') return await refuse(run, head.refusal);
  if (head.mode === 'monitor')
    return await observeExchange(run, {
      operation,
      facts,
      head,
      user,
      refuse: async (refusal) => await refuse(run, refusal),
    });
  if ('reason' in user) return await refuse(run, user);
  if (operation === null) return await refuse(run, { reason: 'endpoint_not_covered' });
  if (ports.evidence.state() === 'refuse') return await refuse(run, { reason: 'audit_unavailable' });

  const read = await tally.timeAsync('read', async () => await readRequest(request, ports.bodies));
  if (read.kind !== 'body') return await endUnread(run, read);
  try {
    const { body } = read;
    const asked = { operation, facts, user: user.id, body, onParsed: () => discard(body), allowMedia: head.allowMedia };
    const answering = await sendRequest(run, asked, read.entry);
    read.share.release();
    if (answering !== null) await answerExchange(run, answering);
  } finally {
    read.entry.release();
    read.share.release();
  }
}

/**
 * Sends a request as far as its answer's head. What this took of memory (the body as it came, its texts, the bytes sent) is
 * over when it returns, however long the answer takes.
 * @param entry the body's place among large bodies, given up when it is recorded
 * @returns null when it was refused
 */
async function sendRequest(run: Run, asked: PrepareInput, entry: Share): Promise<Answering | null> {
  const { ports, tally } = run;
  tally.received = asked.body.length;
  const turn = await tally.timeAsync('read', async () => await ports.bodies.turn(asked.body.length));
  let prepared: PreparedRequest;
  let ledger: Ledger;
  try {
    if (run.request.signal.aborted) return endGone(run);
    const outcome = tally.time('redact', () => prepareRequest(run, asked));
    if (outcome.kind === 'refused') {
      await refuse(run, outcome.refusal);
      return null;
    }
    prepared = outcome;
    ledger = await tally.timeAsync('record', async () => await record(run, outcome));
  } finally {
    turn.release();
    entry.release();
  }
  const response = await tally.timeAsync('provider', async () => await forward(run, prepared));
  const { decision, facts, vault, documents } = prepared;
  return { operation: asked.operation, prepared: { decision, facts, vault, documents }, response, ledger };
}

/** Gives the memory of a large body back now and not when a collector looks for it: nobody reads it any more. */
function discard({ buffer, byteLength }: Uint8Array): void {
  if (byteLength > LIMIT.largeBodyBytes && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer)
    buffer.transfer(0);
}

async function record(run: Run, prepared: PreparedRequest): Promise<Ledger> {
  const { evidence } = run.ports;
  const ledger = await evidence.request(requestFacts(run, prepared), prepared.content);
  run.progress.ledger = ledger;
  return ledger;
}

async function forward({ ports, request, tally }: Run, prepared: PreparedRequest): Promise<UpstreamResponse> {
  const { host, port, secure } = request.connection;
  const { fields, dropped } = upstreamFields(request.headers, prepared.stream);
  tally.droppedFields = dropped;
  tally.sent = prepared.content.sent.length;
  tally.outcome = 'provider_error';
  const response = await ports.forward({
    host,
    port,
    secure,
    method: request.method,
    target: request.target,
    headers: fields,
    body: prepared.content.sent,
    releaseBody: true,
    signal: request.signal,
  });
  tally.status = response.status;
  tally.firstByte = tally.elapsed;
  return response;
}

/** Refuses before anything left the pod. The refusal stands even where its record cannot be made durable. */
async function refuse(run: Run, refusal: Refusal): Promise<void> {
  const { ports, request, reply, tally } = run;
  tally.reason = refusal.reason;
  try {
    await ports.evidence.refused(refusedFacts(run, refusal));
  } catch (fault) {
    ports.fault(fault, tally.id);
  }
  run.progress.headSent = true;
  await sendRefusal(request, reply, refusal, tally.id);
}

async function endUnread(
  run: Run,
  read: { readonly kind: 'refused'; readonly refusal: Refusal } | { readonly kind: 'aborted' },
): Promise<void> {
  if (read.kind === 'refused') return await refuse(run, read.refusal);
  endGone(run);
}

/** The client went away before anything left the pod. */
function endGone({ reply, tally }: Run): null {
  tally.outcome = 'client_gone';
  reply.cut();
  return null;
}

/** Whatever was thrown ends here: recorded by its class, answered by a reason, never passed on. */
async function rescue(run: Run, fault: unknown): Promise<void> {
  const { ports, request, reply, tally, progress } = run;
  const gone = request.signal.aborted;
  const refusal = reasonOf(fault);
  if (!gone) ports.fault(fault, tally.id);
  tally.reason = gone ? null : refusal.reason;
  if (tally.outcome !== 'not_sent') tally.outcome = gone ? 'client_gone' : progress.headSent ? 'cut' : 'provider_error';
  try {
    if (progress.ledger === null && !gone) await ports.evidence.refused(refusedFacts(run, refusal));
    else await progress.ledger?.finish(outcomeFacts(tally));
  } catch (second) {
    ports.fault(second, tally.id);
  }
  try {
    if (gone) reply.cut();
    else if (!progress.headSent) await sendRefusal(request, reply, refusal, tally.id);
    else if (tally.stream) await cutStream(request, reply, refusal, tally.id);
    else reply.cut();
  } catch (last) {
    ports.fault(last, tally.id);
    reply.cut();
  }
}
