import type { Host } from './brand.ts';
import type { Credential } from './policy-credential.ts';
import type { Reason, Refusal } from './reason.ts';
import type { Attribution, PolicyMode } from './record.ts';
import type { Entity, EntityAction } from './entity.ts';
import type { Agreement } from './policy.ts';

/** What is known of an exchange before its body is read. */
export interface HeadFacts {
  readonly host: Host;
  /** Whether the connection is TLS. */
  readonly secure: boolean;
  readonly method: string;
  /** As received, without the query. */
  readonly path: string;
  /** Id of the operation's dialect; null for an operation that is not known. */
  readonly dialect: string | null;
  readonly credential: Credential;
  /** The account that the request itself names (`openai-organization`), if it names one. */
  readonly organization?: string;
  /** The provider's region, where the host name tells it. */
  readonly region?: string;
  /** How the user is known so far; `workload` where only the body could still tell. */
  readonly user: Attribution;
}

/** What is known once the body is parsed. */
export interface ExchangeFacts extends HeadFacts {
  readonly model: string | null;
  /** Features in use, as the dialect names them: `beta:...`, `tool:...`, `body:...`, `media:...`. */
  readonly features: readonly string[];
  /** Whether the body names a user. */
  readonly userInBody: boolean;
}

/** The names of the checks, in the order in which they are made. */
export type CheckName =
  | 'provider'
  | 'agreement'
  | 'dates'
  | 'verified'
  | 'product'
  | 'protocol'
  | 'endpoint'
  | 'credential'
  | 'organization'
  | 'user'
  | 'model'
  | 'features'
  | 'media';

/** One check and what it found. `detail` is of a closed vocabulary or policy's own words, never the caller's text. */
export interface Check {
  readonly name: CheckName;
  readonly ok: boolean;
  readonly detail?: string;
}

/** How identifiers of an exchange are treated. */
export interface RedactionPolicy {
  readonly dates: 'keep-year' | 'whole';
  readonly actions: Readonly<Record<Entity, EntityAction>>;
  readonly maxIdentifiers: number | null;
}

/** The agreement in question, as it is recorded. */
export interface CoveredBy {
  /** The provider as the register or the agreement names it; null when neither does. */
  readonly provider: string | null;
  readonly product: string | null;
  /** Id of the agreement that was looked at; null when there is none. */
  readonly agreement: string | null;
}

/** Nothing of the exchange may leave. */
export interface Refused extends CoveredBy {
  readonly kind: 'refuse';
  readonly refusal: Refusal;
  readonly checks: readonly Check[];
}

/** What is granted, whether for the body to be read or for the exchange to go on. */
interface Granted extends CoveredBy {
  readonly mode: PolicyMode;
  /** Monitor: what enforce would have answered. */
  readonly would?: Reason;
  /** Whether the dialect may let images, documents and audio through. */
  readonly allowMedia: boolean;
  readonly redaction: RedactionPolicy;
  readonly checks: readonly Check[];
}

/** The body may be read; the second stage decides again with all that it tells. */
export interface Proceed extends Granted {
  readonly kind: 'proceed';
}

/** The exchange is covered, or goes through under a monitor grant. */
export interface Allowed extends Granted {
  readonly kind: 'allow';
  /** The agreement itself, for the check of the provider's answer; absent where only a monitor grant lets it through. */
  readonly covering?: Agreement;
}

/** What the first stage says. */
export type HeadDecision = Proceed | Refused;

/** What the second stage says. */
export type ExchangeDecision = Allowed | Refused;
