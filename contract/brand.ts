declare const brand: unique symbol;

/** A type that cannot be confused with another of the same shape. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A host name in normal form: lower case, no trailing dot, no port, ASCII (IDNA A-labels); see `parseHost`. */
export type Host = Brand<string, 'Host'>;
/** Identifies one hash chain of audit records: one per pod. */
export type ChainId = Brand<string, 'ChainId'>;
/** Identifies one exchange; minted by the sidecar, shown to callers as `x-lazaret-exchange`. */
export type ExchangeId = Brand<string, 'ExchangeId'>;
