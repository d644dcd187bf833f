import type { Socket } from 'node:net';
import type { Refusal } from '#contract/reason.ts';
import type { ConnectionFacts, ExchangeHandler, Fields, InboundRequest, Reply } from '../exchange/ports.ts';
import { valuesOf } from './http-head.ts';
import type { RefusalAnswer, RefusedRequest } from './options.ts';
import { answerFields, type CheckOutcome } from './request-check.ts';
import { answerGrpc, isGrpc } from './refusal-answer.ts';

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
  readonly hasPolicy: () => boolean;
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

/** Why this room refuses a request by itself. */
export function refusalOf(checked: CheckOutcome): Refusal {
  return 'fault' in checked ? { reason: 'protocol_not_allowed', where: checked.fault } : { reason: 'policy_missing' };
}

/** The answer to a request that does not reach the handler; gRPC callers read trailers only. */
export function answerRefusal(
  ports: FrontPorts,
  request: RefusedRequest,
  fields: Fields,
  refusal: Refusal,
): RefusalAnswer {
  if (isGrpc(valuesOf(fields, 'content-type')[0])) return answerGrpc(refusal);
  return ports.refuse(request, refusal);
}

/** Sends a whole answer. */
export async function sendAnswer(reply: Reply, answer: RefusalAnswer): Promise<void> {
  reply.head(answer.status, answerFields(answer.headers), answer.body.length);
  if (answer.body.length > 0) await reply.write(answer.body);
  await reply.end();
}
