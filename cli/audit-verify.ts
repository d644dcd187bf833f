import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { ChainId } from '#contract/brand.ts';
import { isChainId } from '#contract/chain.ts';
import { type Finding, FINDINGS } from '#contract/chain-finding.ts';
import { jwksSchema, readStatement } from '#contract/chain-protocol.ts';
import {
  parseJson,
  SIGNED_TYPE,
  type Signed,
  thumbprint,
  verifyingKey,
  verifySigned,
} from '#contract/chain-signature.ts';
import { type SignedPlace, verifyChain } from '#contract/chain-verify.ts';
import { parseArguments } from './arguments.ts';
import { type AuditStore, openStore, type Statement } from './audit-store.ts';
import { type CommandIo, UsageError } from './io.ts';

const expectedSchema = z.object({
  chains: z.array(
    z.looseObject({
      chain: z.string().refine((text): text is ChainId => isChainId(text)),
      seq: z.number().int().nonnegative(),
      head: z.string(),
    }),
  ),
});
type Expected = z.infer<typeof expectedSchema>['chains'];

/** `lazaret audit verify`. @returns 0 when nothing is found (notices do not count), 1 for a finding */
export async function auditVerify(args: readonly string[], io: CommandIo): Promise<number> {
  const given = parseArguments(args, { store: 'value', trust: 'value', expect: 'value', json: 'switch' });
  if (given.positionals.length > 0)
    throw new UsageError('lazaret audit verify takes options only: see lazaret audit --help');
  const store = openStore(given.required('store'));
  const trust = given.value('trust');
  const keys = trust === undefined ? keysOf(store.jwks) : keysOf(await readFile(io, trust));
  if (trust !== undefined && keys.size === 0)
    throw new UsageError(`${trust} holds no public ES256 key: name the collector's JWKS`);
  const expect = given.value('expect');
  const { expected, findings: unsigned } =
    expect === undefined ? { expected: [], findings: [] } : readExpected(await readFile(io, expect), keys);
  const findings = [...verifyStore(store, keys, expected), ...unsigned];
  if (trust === undefined)
    findings.push(onStore('trust_not_checked', "the store's own keys were used; name the collector's with --trust"));
  const found = findings.filter(({ finding }) => FINDINGS[finding] === 'finding').length;
  for (const finding of findings)
    io.stdout(
      given.has('json')
        ? `${JSON.stringify({ ...finding, level: FINDINGS[finding.finding] })}\n`
        : `${sentence(finding)}\n`,
    );
  if (!given.has('json'))
    io.stdout(`${store.chains.length} chains verified: ${found === 0 ? 'no finding' : `${found} findings`}\n`);
  return found === 0 ? 0 : 1;
}

/** Verifies every chain of a store, and that no chain is missing which somebody signed for. */
function verifyStore(store: AuditStore, keys: ReadonlyMap<string, KeyObject>, expected: Expected): Finding[] {
  const findings: Finding[] = [];
  const { manifest } = store;
  if (manifest !== null && !isSignedBy(manifest.signed, keys))
    findings.push(onStore('bad_signature', "the manifest is not signed by the collector's key"));
  const lines = manifest?.claim.chains ?? [];
  for (const { chain } of [...lines, ...expected]) {
    const missing = !store.chains.includes(chain) && !findings.some((each) => each.chain === chain);
    if (missing) findings.push({ finding: 'missing_chain', chain, seq: null, detail: 'the whole chain is missing' });
  }
  for (const chain of store.chains) {
    const places: SignedPlace[] = [];
    for (const line of lines) if (line.chain === chain) places.push({ seq: line.seq, hash: line.head, by: 'manifest' });
    for (const line of expected)
      if (line.chain === chain && line.seq > 0) places.push({ seq: line.seq, hash: line.head, by: 'expectation' });
    findings.push(...verifyOne(store, chain, keys, places));
  }
  return findings;
}

function verifyOne(
  store: AuditStore,
  chain: ChainId,
  keys: ReadonlyMap<string, KeyObject>,
  places: SignedPlace[],
): Finding[] {
  const findings: Finding[] = [];
  const report = (finding: Finding['finding'], detail: string): void =>
    void findings.push({ finding, chain, seq: null, detail });
  const receipt = store.receipt(chain);
  const stored = store.hasSegments(chain);
  if (receipt === null) {
    if (places.length > 0) report('missing_receipt', 'the manifest names this chain, yet its receipt is missing');
    else if (!stored) return findings;
  } else if (isSignedBy(receipt.signed, keys) && receipt.claim.chain === chain) {
    places.push({ seq: receipt.claim.up_to_seq, hash: receipt.claim.head_hash, by: 'receipt' });
    if (store.manifest === null)
      report('missing_receipt', "the chain has a receipt, yet the store's manifest is missing");
  } else report('bad_signature', "the receipt is not signed by the collector's key for this chain");
  if (!stored)
    return [
      ...findings,
      { finding: 'missing_chain', chain, seq: null, detail: 'every segment of the chain is missing' },
    ];
  const attested = attestedOf(store, chain, keys, report);
  findings.push(...verifyChain(chain, store.segments(chain), { places, attested }));
  const conflicts = store.conflicts(chain).length;
  if (conflicts > 0) report('fork', `the pod sent other bytes for places that were stored, ${conflicts} times`);
  return findings;
}

function attestedOf(
  store: AuditStore,
  chain: ChainId,
  keys: ReadonlyMap<string, KeyObject>,
  report: (finding: Finding['finding'], detail: string) => void,
): ReadonlySet<string> {
  const attested = new Set<string>();
  for (const statement of store.attestations(chain)) {
    const good = statement !== null && isSignedBy(statement.signed, keys) && statement.claim.chain === chain;
    if (good && thumbprint(statement.claim.key) === statement.claim.kid) attested.add(statement.claim.kid);
    else report('bad_signature', "an attestation is not signed by the collector's key for this chain");
  }
  return attested;
}

function readExpected(
  text: string,
  keys: ReadonlyMap<string, KeyObject>,
): { readonly expected: Expected; readonly findings: Finding[] } {
  const signed: Statement<{ readonly chains: Expected }> | null = readStatement(
    text.trim(),
    SIGNED_TYPE.expected,
    expectedSchema,
  );
  if (signed !== null) {
    const findings = isSignedBy(signed.signed, keys)
      ? []
      : [onStore('bad_signature', 'the expected chains are not signed by a trusted key')];
    return { expected: signed.claim.chains, findings };
  }
  const plain = expectedSchema.safeParse(parseJson(text));
  if (!plain.success)
    throw new UsageError(
      '--expect names no list of chains: take the file that the controller writes, or JSON {"chains":[{"chain","seq","head"}]}',
    );
  return {
    expected: plain.data.chains,
    findings: [onStore('expectation_not_signed', 'the expected chains come from an unsigned file')],
  };
}

function keysOf(text: string): ReadonlyMap<string, KeyObject> {
  const keys = new Map<string, KeyObject>();
  const parsed = jwksSchema.safeParse(parseJson(text));
  for (const jwk of parsed.success ? parsed.data.keys : []) {
    const key = verifyingKey(jwk);
    if (key !== null) keys.set(jwk.kid, key);
  }
  return keys;
}

function isSignedBy(signed: Signed, keys: ReadonlyMap<string, KeyObject>): boolean {
  const key = keys.get(signed.kid);
  return key !== undefined && verifySigned(signed, key);
}

function onStore(finding: Finding['finding'], detail: string): Finding {
  return { finding, chain: null, seq: null, detail };
}

function sentence({ finding, chain, seq, detail }: Finding): string {
  const where = [chain, seq === null ? null : `record ${seq}`].filter((part) => part !== null).join(' ');
  return `${FINDINGS[finding] === 'notice' ? 'notice' : 'FINDING'} ${finding}${where === '' ? '' : ` (${where})`}: ${detail}`;
}

async function readFile(io: CommandIo, path: string): Promise<string> {
  return io.readFile(path).catch(() => {
    throw new UsageError(`${path} cannot be read: name a file that exists and that you may read`);
  });
}
