/** Where the controller serves policy bundles to sidecars, over TLS by the release's authority. */
export const BUNDLE_PATH = '/v1/bundle';

/**
 * `GET BUNDLE_PATH` with `Authorization: Bearer` and the pod's token of audience `TOKEN_AUDIENCE`:
 * 200 `application/jose` with a compact JWS and an `etag`; 204 when nothing changed within the wait; 401 for a token that proves no
 * pod; 403 for a pod that is not guarded; 503 with `retry-after` when the server is not ready or has too many callers.
 */
export const BUNDLE_QUERY = {
  /** `EPOCH.REVISION` of the bundle in force, left out when there is none. A server that knows less lists afresh before it answers. */
  after: 'after',
  /** Seconds that the server may hold the request until something changes; at most `LIMIT.bundleWaitMs`. */
  wait: 'wait',
} as const;
