import { z } from 'zod';
import { LIMIT } from './limit.ts';
import { POLICY } from './policy.ts';

/** Which bundle is newer: the epoch grows when a cluster was restored, the revision with every change of a resource. */
const SERIAL = z.strictObject({ epoch: z.int().min(0), revision: z.int().min(0) }).readonly();

const KEY = z
  .strictObject({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: z.string(),
    y: z.string(),
    kid: z.string().optional(),
    alg: z.string().optional(),
    use: z.string().optional(),
  })
  .readonly();

/** What a bundle says; it travels as the payload of a compact JWS (RFC 7515 §3.1) under ES256. */
export const BUNDLE_PAYLOAD = z
  .strictObject({
    version: z.literal(1),
    serial: SERIAL,
    /** When it was signed, ms since the epoch; its age counts from here, or from when it was taken, where that was earlier by our clock. */
    issuedAt: z.number(),
    policy: POLICY,
    /** The key that the next bundles may be signed with: a change of keys needs no restart. */
    nextKey: KEY.optional(),
  })
  .readonly();

export type Serial = z.infer<typeof SERIAL>;
export type BundlePayload = z.infer<typeof BUNDLE_PAYLOAD>;
export type BundleKey = z.infer<typeof KEY>;

/** `typ` of the JWS header, so that nothing else signed with the key is taken for a bundle (RFC 8725 §3.11). */
export const BUNDLE_TYPE = 'lazaret-bundle+jws';

/** @returns `epoch.revision`, as records and `--serial` have it */
export function formatSerial(serial: Serial): string {
  return `${serial.epoch}.${serial.revision}`;
}

/** @returns the serial, or null when the text is not EPOCH.REVISION */
export function parseSerial(text: string): Serial | null {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(text);
  return match === null ? null : { epoch: Number(match[1]), revision: Number(match[2]) };
}

/** Negative when a is older than b. */
export function compareSerials(a: Serial, b: Serial): number {
  return a.epoch - b.epoch || a.revision - b.revision;
}

/**
 * Why a bundle may not replace the one in force, or null when it may. An adversary who kept an old bundle could undo a
 * revocation with it, so neither the serial nor, for the same serial, the time of signing may go back.
 * @param now ms since the epoch
 */
export function refuseBundle(next: BundlePayload, current: BundlePayload | null, now: number): string | null {
  if (next.issuedAt > now + LIMIT.clockSkewMs)
    return 'it was signed in the future: check the clocks of the signer and of this node';
  if (current === null) return null;
  const order = compareSerials(next.serial, current.serial);
  if (order < 0)
    return `its serial ${formatSerial(next.serial)} is lower than ${formatSerial(current.serial)}, which is in force`;
  return order === 0 && next.issuedAt < current.issuedAt
    ? 'it was signed before the bundle in force, which has the same serial'
    : null;
}

/** Whether a bundle is too old to decide by. @param since when it was signed or taken, ms since the epoch */
export function isStale(since: number, now: number): boolean {
  return now - since >= LIMIT.policyStaleMs;
}
