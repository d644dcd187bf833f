import type { Entity } from '#contract/entity.ts';
import { LIMIT } from '#contract/limit.ts';
import { Phi } from '#contract/phi.ts';
import type { ExchangeDecision, HeadFacts } from '#contract/policy-facts.ts';
import type { EntityCounts, ExchangeContent } from '#contract/record.ts';
import type { Refusal } from '#contract/reason.ts';
import type { Operation } from '#llm/dialect.ts';
import { parseRequest } from '#llm/parse-request.ts';
import type { CitedDocument, ParsedRequest } from '#llm/request.ts';
import { isIdOfOriginal, isNameOfOriginal } from '#phi/id-leak.ts';
import { containsOriginal, findIdentifiers, type Identifier } from '#phi/leak.ts';
import { redact } from '#phi/redact.ts';
import { Vault } from '#phi/vault.ts';
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
  /** Called when nothing reads the body any more. */
  readonly onParsed?: () => void;
  /** Whether the first decision lets images, documents and audio through; the second decides again. */
  readonly allowMedia: boolean;
}

/** What a stage of preparing may end in. */
type Refused = { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * Parses, decides and redacts a request. Nothing here waits: between the last look at policy and the bytes that are
 * recorded no other exchange can run.
 */
export function prepareRequest(run: Run, input: PrepareInput): PreparedRequest | Refused {
  const { ports, request, tally } = run;
  const { operation, facts, body, allowMedia } = input;
  const parse = parseRequest(operation.dialect, { body, headers: request.headers, allowMedia });
  input.onParsed?.();
  if (parse.kind === 'refused') return parse;
  const { model, features, stream, user } = parse.request;
  tally.stream = stream;
  const exchange = { ...facts, model, features, userInBody: user !== undefined };
  const decision = decideExchange(ports.policy(), exchange, ports.now());
  tally.decided(decision, operation);
  if (decision.kind === 'refuse') return { kind: 'refused', refusal: decision.refusal };
  return redactRequest(run, input, { parsed: parse.request, decision });
}

interface Decided {
  readonly parsed: ParsedRequest;
  readonly decision: Allowed;
}

function redactRequest(run: Run, input: PrepareInput, { parsed, decision }: Decided): PreparedRequest | Refused {
  const { dates, actions, maxIdentifiers } = decision.redaction;
  const bound = maxIdentifiers === null ? {} : { maxIdentifiers };
  const names = run.ports.names();
  const redacted = redact(parsed.sites, { dates, actions, ...bound, ...(names === undefined ? {} : { names }) });
  if (redacted.kind === 'refused') return { kind: 'refused', refusal: { reason: redacted.reason } };
  const { texts, counts } = redacted;
  const vault = run.tally.received > LIMIT.largeBodyBytes ? detachVault(redacted.vault) : redacted.vault;
  run.tally.counts = counts;
  const unchangeable = refuseUnchangeable(run, parsed, vault);
  if (unchangeable !== null) return { kind: 'refused', refusal: unchangeable };
  const user = input.user ?? parsed.user;
  return {
    kind: 'prepared',
    decision,
    facts: input.facts,
    operation: input.operation,
    model: own(parsed.model),
    stream: parsed.stream,
    counts,
    vault,
    documents: parsed.documents(texts),
    userInBody: parsed.user !== undefined,
    content: { sent: parsed.rewrite(texts), vault: sealableVault(vault), ...(user === undefined ? {} : { user }) },
  };
}

/** A text of its own: V8 lets a piece of a text point into the whole, which then stays in memory as long as the piece. */
function own(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string;
}

/** The vault lives until the answer's end, and the request's text should not. */
function detachVault(vault: Vault): Vault {
  return new Vault(vault.entries().map((entry) => ({ ...entry, original: new Phi(own(entry.original.reveal())) })));
}

/** Kinds that schemas hold without telling of a person: an enumeration of states, a default date, a documentation link. */
const HARMLESS_IN_SCHEMA: ReadonlySet<Entity> = new Set<Entity>(['age', 'date', 'location', 'url']);
const SCHEMA_SCORE = 0.7;
/** An id; locked text of several words is thinking, which is examined as prose. */
const ONE_WORD = /^\S{1,256}$/;

/** An identifier where nothing may be changed (signed thinking, names in a schema) refuses the exchange. */
function refuseUnchangeable({ ports }: Run, parsed: ParsedRequest, vault: Vault): Refusal | null {
  if (parsed.locked.some((text) => containsOriginal(vault, text)))
    return { reason: 'identifier_not_allowed', where: 'thinking or an id that must not change' };
  if (parsed.locked.some((text) => !ports.thinking.holds(text, vault)))
    return { reason: 'identifier_not_allowed', where: 'thinking of an exchange whose history was changed since' };
  if (isIdOfOriginal(vault, [...parsed.ids, ...parsed.locked.filter((text) => ONE_WORD.test(text))]))
    return { reason: 'identifier_not_allowed', where: 'an id made of an identifier' };
  const tells = ({ entity, score }: Identifier): boolean => score >= SCHEMA_SCORE && !HARMLESS_IN_SCHEMA.has(entity);
  if (
    isNameOfOriginal(vault, parsed.schemaTexts) ||
    parsed.schemaTexts.some((text) => findIdentifiers(text).some(tells))
  )
    return { reason: 'identifier_not_allowed', where: 'a name, enumeration or pattern of a tool or schema' };
  return null;
}

function sealableVault(vault: Vault): string {
  return JSON.stringify(
    vault.entries().map(({ surrogate, entity, original }) => ({ surrogate, entity, original: original.reveal() })),
  );
}
