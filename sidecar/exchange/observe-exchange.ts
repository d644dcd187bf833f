import type { HeadDecision, HeadFacts } from '#contract/policy-facts.ts';
import type { RequestFacts } from '#contract/record.ts';
import type { Refusal } from '#contract/reason.ts';
import type { Operation } from '#llm/dialect.ts';
import type { Ledger } from './evidence.ts';
import { decideHead } from '../policy/decide-exchange.ts';
import { clientFields, observedFields } from './header-fields.ts';
import type { RequestUser } from './identify-user.ts';
import type { UpstreamResponse } from './ports.ts';
import { prepareRequest, type PreparedRequest } from './prepare-request.ts';
import { outcomeFacts } from './record-facts.ts';
import { reasonOf } from './refusal.ts';
import type { Run } from './run-exchange.ts';

/** An exchange under a monitor grant. */
export interface Observed {
  readonly operation: Operation | null;
  readonly facts: HeadFacts;
  readonly head: Extract<HeadDecision, { kind: 'proceed' }>;
  readonly user: RequestUser | Refusal;
  /** Ends the exchange before anything leaves. */
  readonly refuse: (refusal: Refusal) => Promise<void>;
}

/**
 * Monitor changes nothing and stops nothing, our own faults included: the request goes out as it came, the answer comes
 * back as it is, and the record says what enforce would have done. Only what no program could forward ends here.
 */
export async function observeExchange(run: Run, observed: Observed): Promise<void> {
  const { ports, request, reply, tally } = run;
  const body = await request.readBody(Number.MAX_SAFE_INTEGER);
  if (!(body instanceof Uint8Array)) {
    tally.outcome = 'client_gone';
    return reply.cut();
  }
  tally.received = body.length;
  // A grant may end while a slow body comes in, and nothing leaves unredacted after its end.
  const again = decideHead(ports.policy(), observed.facts, ports.now());
  if (again.kind === 'refuse') return await observed.refuse(again.refusal);
  if (again.mode !== 'monitor') return await observed.refuse({ reason: 'busy', where: 'the monitor grant has ended' });
  const ledger = await openLedger(run, observed, body);
  tally.outcome = 'provider_error';
  tally.sent = body.length;
  const { host, port, secure } = request.connection;
  const response = await ports.forward({
    host,
    port,
    secure,
    method: request.method,
    target: request.target,
    headers: observedFields(request.headers, tokenField(run)),
    body,
    signal: request.signal,
  });
  tally.status = response.status;
  tally.firstByte = tally.elapsed;
  run.progress.headSent = true;
  tally.stream = false;
  reply.head(response.status, clientFields(response.headers, true));
  await relay(run, response, ledger);
  tally.outcome = 'completed';
  await attempt(run, async () => await ledger?.finish(outcomeFacts(tally)));
  await reply.end();
}

async function relay(run: Run, response: UpstreamResponse, ledger: Ledger | null): Promise<void> {
  for await (const chunk of response.body) {
    run.tally.answerBytes += chunk.length;
    run.tally.returnedBytes += chunk.length;
    await attempt(run, async () => await ledger?.part(chunk));
    await run.reply.write(chunk);
  }
}

/** Records what leaves, as it leaves: unredacted, and sealed like every other body. Without a ledger it leaves all the same. */
async function openLedger(run: Run, observed: Observed, body: Uint8Array): Promise<Ledger | null> {
  const prepared = wouldPrepare(run, observed, body);
  const user = 'reason' in observed.user ? null : observed.user.id;
  const content = { sent: body, vault: '[]', ...(user === null ? {} : { user }) };
  const ledger = await attempt(
    run,
    async () => await run.ports.evidence.request(observedFacts(run, observed, prepared), content),
  );
  run.progress.ledger = ledger;
  return ledger;
}

/** Goes through the motions of enforce, to learn what it would have answered. */
function wouldPrepare(run: Run, { operation, facts, head, user }: Observed, body: Uint8Array): PreparedRequest | null {
  const { tally } = run;
  if ('reason' in user) tally.would ??= user.reason;
  if (operation === null || 'reason' in user) return null;
  try {
    const prepared = tally.time('redact', () =>
      prepareRequest(run, { operation, facts, user: user.id, body, allowMedia: head.allowMedia }),
    );
    if (prepared.kind === 'prepared') return prepared;
    tally.would ??= prepared.refusal.reason;
  } catch (fault) {
    run.ports.fault(fault, tally.id);
    tally.would ??= reasonOf(fault).reason;
  }
  return null;
}

function observedFacts(
  { ports, request, tally }: Run,
  { facts, head }: Observed,
  prepared: PreparedRequest | null,
): RequestFacts {
  const { connection } = request;
  return {
    exchange: tally.id,
    connection: connection.id,
    dialect: tally.dialect,
    provider: tally.provider,
    host: connection.host,
    port: connection.port,
    agreement: head.agreement,
    model: prepared?.model ?? null,
    stream: prepared?.stream ?? false,
    policy: ports.policy().serial,
    mode: 'monitor',
    would: tally.would,
    checks: tally.checks,
    phi: tally.counts,
    credential: facts.credential.fingerprint === '' ? null : facts.credential.fingerprint,
    actor: { workload: ports.workload, attribution: facts.user },
    disclosure: true,
    sizes: { received: tally.received, sent: tally.received },
  };
}

async function attempt<T>(run: Run, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (fault) {
    run.ports.fault(fault, run.tally.id);
    return null;
  }
}

function tokenField({ ports }: Run): string | null {
  const { policy } = ports.policy();
  return typeof policy === 'string' ? null : (policy.userJwt?.header ?? null);
}
