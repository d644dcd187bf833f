import { AuditUnavailable } from '#sidecar/exchange/evidence.ts';

/** The volume did not answer in time. What was appended may become durable yet. */
export class Late extends AuditUnavailable {}

/** @returns a rejection that does not end the process when nobody waits for it. */
export function unavailable(why: string): Promise<never> {
  const promise = Promise.reject(new AuditUnavailable(why));
  promise.catch(() => undefined);
  return promise;
}

/** @returns the code of a file system error; its message holds a path and goes nowhere. */
export function faultCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^[A-Z0-9_]{2,24}$/.test(code) ? code : 'fault';
}
