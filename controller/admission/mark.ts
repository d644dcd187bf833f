// The mark lets a reinvocation find what the first invocation chose. Its adversary is the author of a pod who knows the
// numbers of one pod and wants them in another whose image was built to carry them.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { isChainId } from '#contract/chain.ts';
import { OWNER_RANGE } from '#contract/labels.ts';
import { LIMIT } from '#contract/limit.ts';
import type { SidecarIdentity } from './identity.ts';
import { isJsonObject } from './json.ts';
import type { ContainerFacts } from './pod-facts.ts';

/** What a mark is bound to beside the identity. */
export interface MarkContext {
  readonly namespace: string;
  readonly name: string;
  readonly generateName: string;
  readonly requester: string;
  /** A dry run tells its numbers to everybody, so its mark is worth nothing for a pod that runs. */
  readonly dryRun: boolean;
  /** `hashAuthor` of the pod. */
  readonly author: string;
  readonly config: string;
}

/** SHA-256 over the images and commands that are not ours: another image under the same mark is another pod. */
export function hashAuthor(containers: readonly ContainerFacts[]): string {
  const parts = containers.map(({ list, container }) => [
    list,
    container.name,
    container.image,
    container.command,
    container.args,
  ]);
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

/** Writes the mark. @param at ms since the epoch */
export function writeMark(key: Uint8Array, identity: SidecarIdentity, context: MarkContext, at: number): string {
  const { uid, gid, chain } = identity;
  return JSON.stringify({
    v: 1,
    uid,
    gid,
    chain,
    at,
    config: context.config,
    mac: seal(key, identity, context, at).toString('base64url'),
  });
}

/**
 * Reads a mark back.
 * @param text the annotation as it stands in the pod: anything at all
 * @returns the identity, or null when the mark is not ours, not for this pod, or not fresh
 */
export function readMark(
  key: Uint8Array,
  text: string | undefined,
  context: MarkContext,
  now: number,
): SidecarIdentity | null {
  const mark = text === undefined || text.length > 1_024 ? null : parseJson(text);
  if (!isJsonObject(mark) || mark.v !== 1 || mark.config !== context.config) return null;
  const { uid, gid, chain, at, mac } = mark;
  if (!isOwner(uid) || !isOwner(gid) || typeof chain !== 'string' || !isChainId(chain)) return null;
  if (typeof at !== 'number' || typeof mac !== 'string') return null;
  if (at > now + LIMIT.admissionSkewMs || now - at > LIMIT.admissionMarkMs) return null;
  const identity = { uid, gid, chain };
  const given = Buffer.from(mac, 'base64url');
  const right = seal(key, identity, context, at);
  return given.length === right.length && timingSafeEqual(given, right) ? identity : null;
}

/** Whether a number is one that the controller would give a sidecar. */
export function isOwner(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= OWNER_RANGE.first && Number(value) <= OWNER_RANGE.last;
}

function seal(key: Uint8Array, { uid, gid, chain }: SidecarIdentity, context: MarkContext, at: number): Buffer {
  const { namespace, name, generateName, requester, dryRun, author, config } = context;
  const bound = [namespace, name, generateName, requester, dryRun, author, config, uid, gid, chain, at];
  return createHmac('sha256', key)
    .update(`lazaret mark v1\0${JSON.stringify(bound)}`)
    .digest();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
