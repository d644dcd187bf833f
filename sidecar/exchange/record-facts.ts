import type { Attribution, OutcomeFacts, RefusedFacts, RequestFacts } from '#contract/record.ts';
import type { Refusal } from '#contract/reason.ts';
import type { ExchangePorts } from './exchange-ports.ts';
import type { InboundRequest } from './ports.ts';
import type { PreparedRequest } from './prepare-request.ts';
import type { Run } from './run-exchange.ts';
import type { Tally } from './tally.ts';

/** What the request record says in clear. */
export function requestFacts({ ports, request, tally }: Run, prepared: PreparedRequest): RequestFacts {
  const { connection } = request;
  const attribution: Attribution =
    prepared.facts.user === 'workload' && prepared.userInBody ? 'body' : prepared.facts.user;
  return {
    exchange: tally.id,
    connection: connection.id,
    dialect: prepared.operation.dialect,
    provider: tally.provider,
    host: connection.host,
    port: connection.port,
    agreement: prepared.decision.agreement,
    model: prepared.model,
    stream: prepared.stream,
    policy: ports.policy().serial,
    mode: prepared.decision.mode,
    would: prepared.decision.would ?? null,
    checks: prepared.decision.checks.map(({ name }) => name),
    phi: prepared.counts,
    credential: prepared.facts.credential.fingerprint === '' ? null : prepared.facts.credential.fingerprint,
    actor: { workload: ports.workload, attribution },
    disclosure: true,
    sizes: { received: tally.received, sent: prepared.content.sent.length },
  };
}

/** What of a run the record of a refusal is made of. */
interface RefusedRun {
  readonly ports: Pick<ExchangePorts, 'policy' | 'workload'>;
  readonly request: Pick<InboundRequest, 'connection'>;
  readonly tally: Tally;
}

/** What the record of a refusal says. */
export function refusedFacts({ ports, request, tally }: RefusedRun, refusal: Refusal): RefusedFacts {
  const { connection } = request;
  return {
    exchange: tally.id,
    connection: connection.id,
    reason: refusal.reason,
    dialect: tally.dialect,
    provider: tally.provider,
    host: connection.host,
    port: connection.port,
    agreement: tally.agreement,
    model: null,
    policy: ports.policy().serial,
    checks: tally.checks,
    phi: tally.counts,
    credential: null,
    actor: { workload: ports.workload, attribution: 'workload' },
  };
}

/** What the outcome record says. */
export function outcomeFacts(tally: Tally): OutcomeFacts {
  return {
    outcome: tally.outcome === 'not_sent' ? 'refused' : tally.outcome,
    status: tally.status,
    reason: tally.reason,
    usage: tally.usage,
    model: tally.servedModel,
    bytes: { received: tally.answerBytes, sent: tally.returnedBytes },
    durations: { total: tally.elapsed, firstByte: tally.firstByte, overhead: tally.overhead },
    restored: tally.restored,
  };
}
