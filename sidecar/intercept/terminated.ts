import type { Socket } from 'node:net';
import type { Refusal } from '#contract/reason.ts';
import type { ConnectionFacts, ExchangeHandler, Fields, InboundRequest, Reply } from '../exchange/ports.ts';
import { valuesOf } from './http-head.ts';
import type { RefusalAnswer, RefusedRequest } from './options.ts';
import { answerFields } from './request-check.ts';

/** A terminated connection as the HTTP fronts see it. */
export interface Terminated {
  readonly facts: ConnectionFacts;
  /** The client's TCP connection below TLS; the only one that can be reset. */
  readonly raw: Socket;
  /** Called when a request arrived: the client trusts our certificate. @returns what to call when its answer is over */
  readonly onRequest: () => () => void;
}

/** What the HTTP fronts are given. */
export interface FrontPorts {
  readonly handler: ExchangeHandler;
  readonly refuse: (request: RefusedRequest, refusal: Refusal) => RefusalAnswer;
}

/** A reply that knows whether it is over. */
export interface RoomReply extends Reply {
  isSettled(): boolean;
}

/** Hands a request to the handler; one that fails, or that forgot its reply, is cut, so that no client hangs. */
export async function runHandler(handler: ExchangeHandler, request: InboundRequest, reply: RoomReply): Promise<void> {
  try {
    await handler(request, reply);
  } catch {
    reply.cut();
  }
  if (!reply.isSettled()) reply.cut();
}

/** A request that this room refuses by itself: what is wrong with it, and as much of it as is known. */
interface Faulty {
  /** The rule that it breaks, from a closed list. */
  readonly fault: string;
  readonly target: string | null;
  readonly fields: Fields;
}

/** The answer to a request that does not reach the handler. */
export function answerFault(
  ports: FrontPorts,
  { facts }: Terminated,
  { fault, target, fields }: Faulty,
): RefusalAnswer {
  const contentType = valuesOf(fields, 'content-type')[0] ?? null;
  return ports.refuse(
    { connection: facts, host: facts.host, target, contentType },
    { reason: 'protocol_not_allowed', where: fault },
  );
}

/** Sends a whole answer. */
export async function sendAnswer(reply: Reply, answer: RefusalAnswer): Promise<void> {
  reply.head(answer.status, answerFields(answer.headers), answer.body.length);
  if (answer.body.length > 0) await reply.write(answer.body);
  await reply.end();
}
