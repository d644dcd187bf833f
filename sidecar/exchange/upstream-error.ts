/** A provider could not be reached, or broke off before or within its answer. Holds no text of the provider. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  /** A code from the TLS or socket layer (`CERT_HAS_EXPIRED`, `ECONNRESET`), or `UNKNOWN`. */
  readonly code: string;
  constructor(code: string) {
    super(`upstream: ${code}`);
    this.code = code;
  }
}
