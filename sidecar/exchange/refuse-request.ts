import { lookupHost } from '#contract/register.ts';
import type { Refusal } from '#contract/reason.ts';
import type { ExchangePorts } from './exchange-ports.ts';
import type { ConnectionFacts } from './ports.ts';
import { refusedFacts } from './record-facts.ts';
import { type RefusalAnswer, refusalAnswer } from './refusal.ts';
import { Tally } from './tally.ts';

/** A request that was refused before it became an exchange. */
export interface UnexaminedRequest {
  /** The terminated connection that it came over; null when the connection itself is refused, which leaves its own record. */
  readonly connection: ConnectionFacts | null;
  readonly host: string | null;
  readonly target: string | null;
  readonly contentType: string | null;
}

/** What of the world such a refusal needs. */
export type RefusalPorts = Pick<
  ExchangePorts,
  'mintId' | 'mono' | 'policy' | 'workload' | 'evidence' | 'report' | 'fault'
>;

/**
 * Makes the refusals of requests that are not even examined (their form is not let through): counted, logged and recorded
 * once, like any other refused exchange, and answered in the provider's shape. The record is not waited for: nothing left.
 */
export function createRequestRefusal(
  ports: RefusalPorts,
): (request: UnexaminedRequest, refusal: Refusal) => RefusalAnswer {
  return (request, refusal) => {
    const { connection, host, target, contentType } = request;
    const tally = new Tally(ports);
    if (connection !== null) {
      tally.provider = lookupHost(connection.host)?.provider ?? 'unknown';
      tally.reason = refusal.reason;
      const facts = refusedFacts({ ports, request: { connection }, tally }, refusal);
      ports.evidence.refused(facts).catch((fault: unknown) => ports.fault(fault, tally.id));
      ports.report(tally.report({ connection }));
    }
    const shape = { host: host ?? '', target: target ?? '', contentType: contentType ?? '' };
    return refusalAnswer(shape, refusal, tally.id);
  };
}
