import { checkOrganization } from '#contract/policy-organization.ts';
import type { Operation } from '#llm/dialect.ts';
import { bodyForm } from '#llm/media-type.ts';
import { cutAnswer } from './answer-fault.ts';
import { answerPlain } from './answer-plain.ts';
import { answerStream } from './answer-stream.ts';
import type { Ledger } from './evidence.ts';
import { singleField } from './header-fields.ts';
import type { UpstreamResponse } from './ports.ts';
import type { PreparedRequest } from './prepare-request.ts';
import type { Run } from './run-exchange.ts';

/** What an answer is restored and recorded with. */
export interface Answering {
  readonly operation: Operation;
  /** Without the bytes that were sent: an answer may take minutes. */
  readonly prepared: Pick<PreparedRequest, 'decision' | 'facts' | 'vault' | 'documents'>;
  readonly response: UpstreamResponse;
  readonly ledger: Ledger;
}

/**
 * Gives a provider's answer back: only in a form that can be examined completely, and only from an account that the
 * agreement covers.
 */
export async function answerExchange(run: Run, answering: Answering): Promise<void> {
  const { prepared, response } = answering;
  const { covering } = prepared.decision;
  const foreign = covering === undefined ? null : checkOrganization(covering, response);
  if (foreign !== null) {
    run.ports.barKey(prepared.facts.credential.fingerprint);
    return await cutAnswer(run, answering, foreign);
  }
  const coding = singleField(response.headers, 'content-encoding');
  const type = singleField(response.headers, 'content-type');
  const form = typeof type === 'string' ? bodyForm(type) : 'unreadable';
  if (!isIdentity(coding) || form === 'unreadable')
    return await cutAnswer(run, answering, { reason: 'response_unreadable' });
  return await (form === 'sse' ? answerStream(run, answering) : answerPlain(run, answering));
}

function isIdentity(coding: ReturnType<typeof singleField>): boolean {
  return coding === null || (typeof coding === 'string' && coding.toLowerCase() === 'identity');
}
