import type { Reason } from '#contract/reason.ts';
import type { ConnectionSighting } from '../policy/connection-decision.ts';
import type { DistrustLog } from './distrust.ts';
import { reset } from './farewell.ts';
import type { Flow } from './flow.ts';
import type { Http1Front } from './http1-front.ts';
import type { Http2Front } from './http2-front.ts';
import type { LeafCache } from './leaf.ts';
import type { InterceptOptions, RefusalAnswer, RefusedRequest } from './options.ts';

/** What every connection of the room shares. */
export interface Room {
  readonly options: InterceptOptions;
  readonly classifyMs: number;
  readonly leafs: LeafCache;
  readonly http1: Http1Front;
  readonly http2: Http2Front;
  readonly distrust: DistrustLog;
  readonly refuse: (request: RefusedRequest, refusal: { readonly reason: Reason }) => RefusalAnswer;
}

/** The facts of a flow as policy reads them. */
export function sightingOf(room: Room, flow: Flow): ConnectionSighting {
  const monitor = room.options.policy()?.monitor === true;
  return {
    destination: flow.destination,
    sight: flow.sight ?? { kind: 'silent' },
    // Monitor mode stops nothing: a client that keeps turning away from our certificate is let past it.
    canIssue: (host) => room.leafs.permits(host) && !(monitor && room.distrust.isFinding(host)),
  };
}

/** Ends a connection after its decision, for a reason of its own. */
export function refuseLate(flow: Flow, reason: Reason): void {
  flow.lateReason = reason;
  reset(flow.socket);
}
