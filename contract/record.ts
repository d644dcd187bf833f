import type { ExchangeId, Host } from './brand.ts';
import type { Entity } from './entity.ts';
import type { Reason } from './reason.ts';

/** How the user behind an exchange became known. `workload`: nobody but the workload itself is known. */
export type Attribution = 'jwt' | 'header' | 'body' | 'workload';

/** Who asked. The user's own id is PHI-adjacent and only ever sealed; see `ExchangeContent.user`. */
export interface ActorFacts {
  /** The workload's identity as the platform states it (namespace/service-account/pod), never as the application does. */
  readonly workload: string;
  readonly attribution: Attribution;
}

/** Whether policy is enforced, or only recorded under a monitor grant. */
export type PolicyMode = 'enforce' | 'monitor';

/** How many spans of each entity were replaced. */
export type EntityCounts = Readonly<Partial<Record<Entity, number>>>;

/**
 * What is written in clear about a request before a byte of it leaves. Every string is an enumeration, an id that this
 * product minted, or passes `clearWord` / `clearModel` when the record is built: what does not is `unlisted`.
 */
export interface RequestFacts {
  readonly exchange: ExchangeId;
  /** Ordinal of the connection in this process. */
  readonly connection: number;
  /** The operation: a dialect id such as `anthropic.messages`. */
  readonly dialect: string;
  readonly provider: string;
  readonly host: Host;
  readonly port: number;
  /** Id of the agreement that covers the exchange; null only under a monitor grant. */
  readonly agreement: string | null;
  /** The model as requested. */
  readonly model: string | null;
  readonly stream: boolean;
  /** Serial of the policy that decided. */
  readonly policy: string;
  readonly mode: PolicyMode;
  /** Monitor mode: the refusal that enforce would have given. */
  readonly would: Reason | null;
  /** Names of the checks that were made, in order. */
  readonly checks: readonly string[];
  readonly phi: EntityCounts;
  /** Fingerprint of the provider credential, never the credential. */
  readonly credential: string | null;
  readonly actor: ActorFacts;
  /** Data that may bear PHI goes to a provider (45 CFR 164.528). */
  readonly disclosure: boolean;
  /** Bytes of the body as the application sent it and as it leaves. */
  readonly sizes: { readonly received: number; readonly sent: number };
}

/** What is written about a request that was refused: nothing of it left the pod. Null where refusal came before it was known. */
export interface RefusedFacts {
  readonly exchange: ExchangeId;
  readonly connection: number;
  readonly reason: Reason;
  readonly dialect: string | null;
  readonly provider: string | null;
  readonly host: Host;
  readonly port: number;
  readonly agreement: string | null;
  readonly model: string | null;
  readonly policy: string | null;
  readonly checks: readonly string[];
  readonly phi: EntityCounts;
  readonly credential: string | null;
  readonly actor: ActorFacts;
}

/** How an exchange ended after its request record was durable. `cut`: the answer was stopped after response headers. */
export type Outcome = 'completed' | 'client_gone' | 'provider_error' | 'refused' | 'cut';

/** What is written when an exchange is over. */
export interface OutcomeFacts {
  readonly outcome: Outcome;
  /** Status of the provider's answer; null when none came. */
  readonly status: number | null;
  readonly reason: Reason | null;
  /** Tokens as the provider counted them. */
  readonly usage: { readonly input: number; readonly output: number } | null;
  /** The model that the provider says it served. */
  readonly model: string | null;
  /** Body bytes from the provider and to the client. */
  readonly bytes: { readonly received: number; readonly sent: number };
  /** Milliseconds from the request's head to the end, to the provider's first body byte, and spent in the guard itself. */
  readonly durations: { readonly total: number; readonly firstByte: number | null; readonly overhead: number };
  /** Surrogates restored in the answer. */
  readonly restored: number;
}

/** What a connection record says. A connection that is terminated is recorded by its exchanges instead. */
export interface ConnectionRecordFacts {
  readonly connection: number;
  readonly decision: 'splice' | 'opaque' | 'refuse';
  readonly reason: Reason | null;
  /** The name the connection asked for. A name that policy does not list is the caller's invention and is sealed, not written in clear. */
  readonly host: string | null;
  readonly listed: boolean;
  /** The original destination. */
  readonly address: string;
  readonly port: number;
}

/** What is sealed of a request. */
export interface ExchangeContent {
  /** The body as it leaves, surrogates in it. */
  readonly sent: Uint8Array;
  /** The vault as JSON: surrogate and original of each replaced span. */
  readonly vault: string;
  /** The user's id. */
  readonly user?: string;
}
