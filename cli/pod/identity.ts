import { randomBytes, randomInt, randomUUID } from 'node:crypto';

/** Who this pod is. */
export interface PodIdentity {
  /** The sidecar's uid and gid: independent of each other and of the application's. */
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly podUid: string;
  readonly chain: string;
  readonly enrolToken: string;
}

/** Chooses a new identity. @param applicationUid never taken for the sidecar */
export function chooseIdentity(applicationUid: number): PodIdentity {
  return {
    uid: chooseOwner(applicationUid),
    gid: chooseOwner(applicationUid),
    name: `pod-run-${randomBytes(3).toString('hex')}`,
    podUid: randomUUID(),
    chain: randomBytes(16).toString('hex'),
    enrolToken: randomBytes(32).toString('base64url'),
  };
}

/** Of 20000 to 59999, the range that the controller draws from. */
function chooseOwner(other: number): number {
  const chosen = randomInt(20_000, 59_999);
  return chosen === other ? 59_999 : chosen;
}
