import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { LIMIT } from './limit.ts';
import { isHostPattern, isOperation } from './policy-pattern.ts';
import { parseTime } from './policy-time.ts';

/** The fields that several resources share. Each message says what to write. */

/** A list of at most `LIMIT.policyListEntries` entries, which also bounds what the API server's own rules may cost. */
export function list<Item extends z.ZodType>(item: Item) {
  return z.array(item).max(LIMIT.policyListEntries, `must hold at most ${LIMIT.policyListEntries} entries`);
}

export const NAME = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'must be a Kubernetes name: lower-case letters, digits, "-" and "."');

export const TEXT = z.string().trim().min(1, 'must not be empty').max(1_000);

export const HOST_PATTERN = z
  .string()
  .max(253)
  .refine(
    isHostPattern,
    'must be a host name in lower case (api.example.org) or "*." and a name of at least two labels (*.example.org), without scheme, port or path',
  );

export const OPERATION = z
  .string()
  .max(1_024)
  .refine(isOperation, 'must be a method and a path, as in "POST /v1/messages"; "*" stands for one whole path segment');

export const GLOB = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces; "*" stands for any characters');

export const CIDR = z
  .string()
  .refine((text) => ipaddr.isValidCIDR(text), 'must be an address range such as 10.96.0.0/12 or fd00::/8');

export const RESOLVER = z
  .string()
  .refine(
    (text) => ipaddr.isValid(text) || /^[0-9.]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i.test(text),
    'must be an address, or ADDRESS:PORT with IPv6 in brackets',
  );

/** RFC 3339 with nine digits of a second takes 35. */
const TIME_LENGTH = 40;
const TIME_FAULT = 'must be a date (2026-11-30) or an RFC 3339 time (2026-11-30T12:00:00Z)';

/** A time that begins something: a bare date is its first moment. Output: ms since the epoch. */
export const START = timeField('start');
/** A time that ends something: a bare date ends with that day, UTC. Output: ms since the epoch, exclusive. */
export const END = timeField('end');

/** The pods of a namespace that a resource is for: labels that must all be there; empty means all pods. */
export const POD_SELECTOR = z
  .strictObject({ matchLabels: z.record(z.string(), z.string()).default({}) })
  .default({ matchLabels: {} });

function timeField(edge: 'start' | 'end') {
  return z
    .string({ error: TIME_FAULT })
    .max(TIME_LENGTH, TIME_FAULT)
    .transform((text, context) => {
      const at = parseTime(text, edge);
      if (at !== null) return at;
      context.addIssue({ code: 'custom', message: TIME_FAULT });
      return z.NEVER;
    });
}
