import { createHmac } from 'node:crypto';
import { OWNER_RANGE } from '#contract/labels.ts';

/** Who a sidecar is: two independent numbers, exempt from the packet rules only together, and its hash chain. */
export interface SidecarIdentity {
  readonly uid: number;
  readonly gid: number;
  readonly chain: string;
}

/** A pod that names this many of our numbers does so on purpose. */
const ATTEMPTS = 64;

/**
 * Derives a pod's identity: HMAC-SHA-256 of the admission uid under the controller's key, so that nothing has to be
 * stored, the same review gives the same pod, and an author cannot know the numbers before the image is fixed.
 * @param taken numbers that the pod itself uses for users and groups
 * @returns null when every candidate is taken
 */
export function deriveIdentity(
  key: Uint8Array,
  admissionUid: string,
  taken: ReadonlySet<number>,
): SidecarIdentity | null {
  const uid = deriveOwner(key, `uid\0${admissionUid}`, taken);
  const gid = deriveOwner(key, `gid\0${admissionUid}`, taken);
  if (uid === null || gid === null) return null;
  return { uid, gid, chain: digest(key, `chain\0${admissionUid}`).toString('hex').slice(0, 32) };
}

function deriveOwner(key: Uint8Array, purpose: string, taken: ReadonlySet<number>): number | null {
  const span = OWNER_RANGE.last - OWNER_RANGE.first + 1;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    // 48 bits over 40,000 numbers: the remainder prefers none of them by more than one part in 10^9.
    const owner = OWNER_RANGE.first + (digest(key, `${purpose}\0${attempt}`).readUIntBE(0, 6) % span);
    if (!taken.has(owner)) return owner;
  }
  return null;
}

function digest(key: Uint8Array, purpose: string): Buffer {
  return createHmac('sha256', key).update(`lazaret identity v1\0${purpose}`).digest();
}
