import type { Host } from '#contract/brand.ts';
import type { Reason } from '#contract/reason.ts';

/** Where a connection goes: an address the client dialled, or a name it gave us as to a proxy. */
export type Destination =
  | { readonly address: string; readonly port: number }
  | { readonly host: Host; readonly port: number };

/** What the first bytes of a connection are. */
export type Sight =
  /** A complete ClientHello; `host` is the outer SNI in normal form, null when there is none or it is no name. */
  | { readonly kind: 'tls'; readonly host: Host | null }
  /** A complete, unambiguous HTTP/1 head; `path` in origin form, `host` null for an address or no authority. */
  | {
      readonly kind: 'http';
      readonly method: string;
      readonly path: string;
      readonly host: Host | null;
      readonly absolute: Destination | null;
    }
  /** A CONNECT request. */
  | { readonly kind: 'connect'; readonly target: Destination | null }
  /** HTTP or TLS whose meaning is not certain. */
  | { readonly kind: 'ambiguous'; readonly of: 'tls' | 'http' }
  /** The preface of clear HTTP/2; its requests are still to come. */
  | { readonly kind: 'http2' }
  /** A client of a SOCKS proxy, who would tell it the real target. */
  | { readonly kind: 'socks' }
  /** The beginning of a line that has no end yet, said to a server that spoke first, as no server of HTTP/1 does. */
  | { readonly kind: 'line' }
  /** Complete enough to say that it is none of these. */
  | { readonly kind: 'other' }
  /** Nothing complete came in time, or ever. */
  | { readonly kind: 'silent' };

/** What is known when a connection is decided. */
export interface ConnectionSighting {
  readonly destination: Destination | null;
  readonly sight: Sight;
  /** Whether the pod's CA may issue a certificate for a name (name constraints). */
  readonly canIssue: (host: Host) => boolean;
}

/** How a refusal reaches the client: TLS alert access_denied, an HTTP answer, or a reset where neither can be read. */
export type RefusalForm = 'alert' | 'http' | 'reset';

/** What to do with a connection. `check` names the check that decided; `would` what enforce would have answered (monitor). */
export type ConnectionDecision = (
  | { readonly action: 'splice'; readonly host: Host; readonly port: number; readonly follow: boolean }
  | { readonly action: 'terminate'; readonly host: Host; readonly port: number; readonly secure: boolean }
  /** Passed to the address that the client dialled; `follow` when its clear HTTP, or a line that may become it, must be watched. */
  | { readonly action: 'opaque'; readonly follow: boolean }
  /** Answer the CONNECT and decide again by what is inside. */
  | { readonly action: 'tunnel'; readonly target: Destination }
  | { readonly action: 'refuse'; readonly reason: Reason; readonly form: RefusalForm }
) & { readonly check: string; readonly would?: Reason };

/** Whether to look at a connection's first bytes at all, and whether to dial at once because the server may speak first. */
export type Approach =
  | { readonly look: 'dial-first' | 'look-first' }
  | { readonly look: 'no'; readonly decision: ConnectionDecision };
