import { z } from 'zod';
import type { ChainId } from '#contract/brand.ts';
import { isChainId } from '#contract/chain.ts';
import type { Finding, FindingCode } from '#contract/chain-finding.ts';
import { readStatement } from '#contract/chain-protocol.ts';
import { parseJson, SIGNED_TYPE } from '#contract/chain-signature.ts';
import { LIMIT } from '#contract/limit.ts';
import { isSignedBy, type TrustedKeys } from './audit-keys.ts';
import { UsageError } from './io.ts';

/** Wider than what the controller writes: a list made by hand may leave out what it does not know. */
const listSchema = z.object({
  iat: z.number().optional().catch(undefined),
  chains: z.array(
    z.looseObject({
      chain: z.string().refine((text): text is ChainId => isChainId(text)),
      pod: z.string().optional().catch(undefined),
      from: z.iso.datetime({ offset: true }).optional().catch(undefined),
      to: z.string().nullish().catch(undefined),
      seq: z.number().int().nonnegative(),
      head: z.string().default(''),
    }),
  ),
});

/** One chain that must exist. */
export type ExpectedChain = z.infer<typeof listSchema>['chains'][number];

/** The chains that must exist, by somebody's word. */
export interface ExpectedList {
  /** When it was written, in seconds since 1970, where it says so. */
  readonly iat: number | undefined;
  readonly chains: readonly ExpectedChain[];
  /** What is wrong with the list itself. */
  readonly findings: readonly Finding[];
}

export const NOTHING_EXPECTED: ExpectedList = { iat: undefined, chains: [], findings: [] };

const POD = /^[a-z0-9][-a-z0-9.]*\/[a-z0-9][-a-z0-9.]*$/;

/**
 * Reads a list of expected chains, signed or plain.
 * @param name what the list is called in a refusal
 * @throws UsageError when it is no such list
 */
export function readExpected(text: string, keys: TrustedKeys, name: string): ExpectedList {
  const read = readStatement(text.trim(), SIGNED_TYPE.expected, listSchema);
  if (read !== null) {
    const findings = isSignedBy(read.signed, keys)
      ? []
      : [onList('bad_signature', 'the expected chains are not signed by a trusted key')];
    return { ...read.claim, iat: read.claim.iat, findings };
  }
  const plain = listSchema.safeParse(parseJson(text));
  if (!plain.success)
    throw new UsageError(
      `${name} names no list of chains: take the file that the controller writes, or JSON {"chains":[{"chain","seq","head"}]}`,
    );
  const finding = onList('expectation_not_signed', 'the expected chains come from an unsigned file');
  return { ...plain.data, iat: plain.data.iat, findings: [finding] };
}

/**
 * What to say of an expected chain of which nothing is stored.
 * @param iat when the list was written, seconds since 1970
 */
export function judgeMissing(line: ExpectedChain, iat: number | undefined): Finding {
  const { chain, seq, from, to } = line;
  const whose = podOf(line) === null ? 'the whole chain' : `the whole chain of the pod ${podOf(line)}`;
  const say = (finding: FindingCode, detail: string): Finding => ({ finding, chain, seq: null, detail });
  if (seq > 0) return say('missing_chain', `${whose} is missing; it goes on to record ${seq}`);
  if (from === undefined || to === undefined) return say('missing_chain', `${whose} is missing`);
  if (to !== null) return say('missing_chain', `${whose} is missing: the pod lived and ended, and never sent a record`);
  const ageMs = (iat ?? Infinity) * 1_000 - Date.parse(from);
  return ageMs < LIMIT.firstShipMs
    ? say('not_yet_shipped', `${whose} is not stored yet: the pod had just begun when the list was written`)
    : say('missing_chain', `${whose} is missing: the pod lives and never sent a record`);
}

/** The pod's name, where it is one: a list made by hand could hold anything, and this goes to a terminal. */
export function podOf({ pod }: ExpectedChain): string | null {
  return pod !== undefined && POD.test(pod) ? pod : null;
}

function onList(finding: FindingCode, detail: string): Finding {
  return { finding, chain: null, seq: null, detail };
}
