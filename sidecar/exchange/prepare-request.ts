import type { ExchangeDecision, HeadFacts } from '#contract/policy-facts.ts';
import type { EntityCounts, ExchangeContent } from '#contract/record.ts';
import type { Refusal } from '#contract/reason.ts';
import type { Operation } from '#llm/dialect.ts';
import { parseRequest } from '#llm/parse-request.ts';
import type { CitedDocument, ParsedRequest } from '#llm/request.ts';
import { containsOriginal, findIdentifiers } from '#phi/leak.ts';
import { redact } from '#phi/redact.ts';
import type { Vault } from '#phi/vault.ts';
import { decideExchange } from '../policy/decide-exchange.ts';
import type { Run } from './run-exchange.ts';

/** What is granted to an exchange that may go on. */
export type Allowed = Extract<ExchangeDecision, { kind: 'allow' }>;

/** A request that may leave: examined, redacted, and with all that its answer needs. */
export interface PreparedRequest {
  readonly kind: 'prepared';
  readonly decision: Allowed;
  readonly facts: HeadFacts;
  readonly operation: Operation;
  readonly model: string;
  readonly stream: boolean;
  readonly counts: EntityCounts;
  readonly vault: Vault;
  /** The documents that the answer's citations count characters of. */
  readonly documents: readonly (CitedDocument | null)[];
  readonly userInBody: boolean;
  readonly content: ExchangeContent;
}

/** A request body and what is known around it. */
export interface PrepareInput {
  readonly operation: Operation;
  readonly facts: HeadFacts;
  /** The user as the request's head names one. */
  readonly user: string | null;
  readonly body: Uint8Array;
  /** Whether the first decision lets images, documents and audio through; the second decides again. */
  readonly allowMedia: boolean;
}

/**
 * Parses, decides and redacts a request. Nothing here waits: between the last look at policy and the bytes that are
 * recorded no other exchange can run.
 */
export function prepareRequest(
  run: Run,
  input: PrepareInput,
): PreparedRequest | { readonly kind: 'refused'; readonly refusal: Refusal } {
  const { ports, request, tally } = run;
  const parse = parseRequest(input.operation.dialect, {
    body: input.body,
    headers: request.headers,
    allowMedia: input.allowMedia,
  });
  if (parse.kind === 'refused') return parse;
  const parsed = parse.request;
  tally.stream = parsed.stream;
  const userInBody = parsed.user !== undefined;
  const decision = decideExchange(
    ports.policy(),
    { ...input.facts, model: parsed.model, features: parsed.features, userInBody },
    ports.now(),
  );
  tally.decided(decision, input.operation);
  if (decision.kind === 'refuse') return { kind: 'refused', refusal: decision.refusal };
  const { redaction } = decision;
  const redacted = redact(parsed.sites, {
    dates: redaction.dates,
    actions: redaction.actions,
    ...(redaction.maxIdentifiers === null ? {} : { maxIdentifiers: redaction.maxIdentifiers }),
  });
  if (redacted.kind === 'refused') return { kind: 'refused', refusal: { reason: redacted.reason } };
  tally.counts = redacted.counts;
  const unchangeable = refuseUnchangeable(parsed, redacted.vault);
  if (unchangeable !== null) return { kind: 'refused', refusal: unchangeable };
  const user = input.user ?? parsed.user;
  return {
    kind: 'prepared',
    decision,
    facts: input.facts,
    operation: input.operation,
    model: parsed.model,
    stream: parsed.stream,
    counts: redacted.counts,
    vault: redacted.vault,
    documents: parsed.documents(redacted.texts),
    userInBody,
    content: {
      sent: parsed.rewrite(redacted.texts),
      vault: sealableVault(redacted.vault),
      ...(user === undefined ? {} : { user }),
    },
  };
}

/** An identifier where nothing may be changed (signed thinking, names in a schema) refuses the exchange. */
export function refuseUnchangeable(parsed: ParsedRequest, vault: Vault): Refusal | null {
  if (parsed.locked.some((text) => containsOriginal(vault, text)))
    return { reason: 'identifier_not_allowed', where: 'thinking or an id that must not change' };
  if (parsed.schemaTexts.some((text) => findIdentifiers(text).length > 0))
    return { reason: 'identifier_not_allowed', where: 'a name, enumeration or pattern of a tool or schema' };
  return null;
}

function sealableVault(vault: Vault): string {
  return JSON.stringify(
    vault.entries().map(({ surrogate, entity, original }) => ({ surrogate, entity, original: original.reveal() })),
  );
}
