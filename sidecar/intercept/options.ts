import type { Socket } from 'node:net';
import type { Host } from '#contract/brand.ts';
import type { ConnectionPolicy } from '#contract/connection-policy.ts';
import type { Phi } from '#contract/phi.ts';
import type { Reason, Refusal } from '#contract/reason.ts';
import type { HostKind } from '#contract/register.ts';
import type { ConnectionFacts, ExchangeHandler, Fields } from '../exchange/ports.ts';
import type { LeafAuthority } from './leaf.ts';

/** Where bytes go: the name they are for (null when only an address is known) and the address to dial. */
export interface DialTarget {
  readonly host: Host | null;
  readonly address: string;
  readonly port: number;
}

/** What is known of a request that this room refuses by itself. */
export interface RefusedRequest {
  /** The terminated connection that it came over; null when the connection itself is refused, which leaves its own record. */
  readonly connection: ConnectionFacts | null;
  /** Null when the request did not come far enough to name one. */
  readonly host: Host | null;
  readonly target: string | null;
  readonly contentType: string | null;
}

/** An answer of our own. Framing fields are added when it is sent. */
export interface RefusalAnswer {
  readonly status: number;
  readonly headers: Fields;
  readonly body: Uint8Array;
}

/** What a connection leaves behind: no address, no name that the application could have made up. */
export interface ConnectionRecord {
  readonly id: number;
  readonly decision: 'splice' | 'terminate' | 'opaque' | 'refuse';
  /** The check that decided. */
  readonly check: string;
  readonly reason: Reason | null;
  /** Monitor mode: why enforce would have refused. */
  readonly would: Reason | null;
  /** The entry of the register, of an agreement or of the destinations that the name met; never the name itself. */
  readonly host: string | null;
  /** The name as the connection gave it, which an application may have made up: only ever sealed, never logged. */
  readonly asked: Phi | null;
  /** The original destination; null where the client named one. For the audit record, not for the log. */
  readonly address: string | null;
  readonly hostClass: HostKind | 'agreement' | 'listed' | 'unlisted' | 'none';
  readonly side: 'private' | 'public' | 'local' | 'named';
  readonly port: number | null;
  readonly sight: 'tls' | 'http' | 'http2' | 'connect' | 'socks' | 'ambiguous' | 'line' | 'other' | 'silent' | 'none';
  /** What went wrong after the decision, from a closed list. */
  readonly fault: ConnectionFault | null;
  /** From the client and to the client, on the wire. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
}

export type ConnectionFault =
  | 'upstream_unreachable'
  | 'certificate_refused'
  | 'handshake_failed'
  | 'name_changed'
  | 'later_request_refused'
  | 'policy_changed'
  | 'too_many_connections'
  | 'shutdown';

/** A client that does not seem to trust the pod's CA: a pinned certificate or roots of its own. */
export interface DistrustSign {
  readonly host: Host;
  /** A TLS alert about our certificate; a close after it; a handshake that was completed and then not used. */
  readonly sign: 'alert' | 'closed' | 'unused';
  /** How many in a row for this host, this one included; from two on it is a finding. */
  readonly inRow: number;
}

/** What the room is given. Every function may be called at any time until `close` has resolved. */
export interface InterceptOptions {
  /** Loopback addresses only: elsewhere this would be an open proxy. Port 0 takes a free one. */
  readonly listen: readonly { readonly host: string; readonly port: number }[];
  /** Explicit proxy instead of redirect: clients name their target by CONNECT or in absolute form. */
  readonly proxyMode?: boolean;
  /** Called at once for each connection; null destroys it (loop guard, untracked). Not called in proxy mode. */
  readonly originalDestination: (socket: Socket) => { readonly address: string; readonly port: number } | null;
  readonly policy: () => ConnectionPolicy | null;
  /** Addresses of a name by the configured resolvers. Rejects or gives none when there are none. */
  readonly resolve: (host: Host) => Promise<readonly string[]>;
  /**
   * Opens a connection with `allowHalfOpen`; rejects when it cannot within its own bound. Without a host the address is on the
   * cluster's side and must be dialled directly, whatever proxy leads out.
   */
  readonly dial: (target: DialTarget) => Promise<Socket>;
  readonly handler: ExchangeHandler;
  readonly ca: LeafAuthority;
  /** Records the refusal of a request on a terminated connection, and shapes every refusal of this room; the default is plain JSON. */
  readonly refuse?: (request: RefusedRequest, refusal: Refusal) => RefusalAnswer;
  readonly onConnection: (record: ConnectionRecord) => void;
  readonly onDistrust?: (sign: DistrustSign) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Bounds for tests that must reach them. */
  readonly bounds?: { readonly classifyMs?: number; readonly connections?: number };
}
