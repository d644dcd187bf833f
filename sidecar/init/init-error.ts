/** A reason why the pod must not start, as one sentence for the person who reads the container's last log line. */
export class InitError extends Error {
  override readonly name = 'InitError';
}

/** What the operating system said, as its short code (`EPERM`), or the kind of error: never a path or a value. */
export function faultCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'unknown fault';
}
