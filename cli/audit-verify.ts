import type { ChainId } from '#contract/brand.ts';
import { type Finding, FINDINGS } from '#contract/chain-finding.ts';
import type { Attestation } from '#contract/chain-protocol.ts';
import { thumbprint } from '#contract/chain-signature.ts';
import { type SignedPlace, verifyChain } from '#contract/chain-verify.ts';
import { parseArguments } from './arguments.ts';
import {
  type ExpectedChain,
  type ExpectedList,
  judgeMissing,
  NOTHING_EXPECTED,
  podOf,
  readExpected,
} from './audit-expected.ts';
import { isSignedBy, readKeys, type TrustedKeys } from './audit-keys.ts';
import { type AuditStore, openStore } from './audit-store.ts';
import { type CommandIo, UsageError } from './io.ts';

/** `lazaret audit verify`. @returns 0 when nothing is found (notices do not count), 1 for a finding */
export async function auditVerify(args: readonly string[], io: CommandIo): Promise<number> {
  const given = parseArguments(args, { store: 'value', trust: 'value', expect: 'value', json: 'switch' });
  if (given.positionals.length > 0)
    throw new UsageError('lazaret audit verify takes options only: see lazaret audit --help');
  const store = openStore(given.required('store'));
  const trust = given.value('trust');
  const keys = readKeys(trust === undefined ? store.jwks : await readFile(io, trust));
  if (trust !== undefined && keys.size === 0)
    throw new UsageError(`${trust} holds no public ES256 key: name the collector's JWKS`);
  const expect = given.value('expect');
  const expected =
    expect === undefined ? ownList(store, keys) : readExpected(await readFile(io, expect), keys, '--expect');
  const findings = [...verifyStore(store, keys, expected), ...expected.findings];
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

/** The list that lies in the store itself. Who can write the whole store can take it away: an auditor keeps a copy. */
function ownList(store: AuditStore, keys: TrustedKeys): ExpectedList {
  return store.expected === null
    ? NOTHING_EXPECTED
    : readExpected(store.expected, keys, 'the expected.jws of the store');
}

/** Verifies every chain of a store, and that no chain is missing which somebody signed for. */
function verifyStore(store: AuditStore, keys: TrustedKeys, expected: ExpectedList): Finding[] {
  const findings: Finding[] = [];
  const { manifest } = store;
  if (manifest !== null && !isSignedBy(manifest.signed, keys))
    findings.push(onStore('bad_signature', "the manifest is not signed by the collector's key"));
  const lines = manifest?.claim.chains ?? [];
  const stored = new Set<string>(store.chains);
  const named = new Map(expected.chains.map((line) => [line.chain, line]));
  const manifested = new Map(lines.map((line) => [line.chain, line]));
  for (const line of named.values()) {
    const seq = Math.max(line.seq, manifested.get(line.chain)?.seq ?? 0);
    if (!stored.has(line.chain)) findings.push(judgeMissing({ ...line, seq }, expected.iat));
  }
  for (const { chain } of lines)
    if (!stored.has(chain) && !named.has(chain))
      findings.push({ finding: 'missing_chain', chain, seq: null, detail: 'the whole chain is missing' });
  for (const chain of store.chains) {
    const places: SignedPlace[] = [];
    const line = manifested.get(chain);
    if (line !== undefined) places.push({ seq: line.seq, hash: line.head, by: 'manifest' });
    const wanted = named.get(chain) ?? null;
    if (wanted !== null && wanted.seq > 0) places.push({ seq: wanted.seq, hash: wanted.head, by: 'expectation' });
    findings.push(...verifyOne({ store, keys, chain, wanted, iat: expected.iat }, places));
  }
  return findings;
}

/** One chain and what it is verified against. */
interface ChainCase {
  readonly store: AuditStore;
  readonly keys: TrustedKeys;
  readonly chain: ChainId;
  /** Its line in the list of expected chains. */
  readonly wanted: ExpectedChain | null;
  readonly iat: number | undefined;
}

function verifyOne(one: ChainCase, places: SignedPlace[]): Finding[] {
  const { store, keys, chain, wanted, iat } = one;
  const findings: Finding[] = [];
  const report = (finding: Finding['finding'], detail: string): void =>
    void findings.push({ finding, chain, seq: null, detail });
  const receipt = store.receipt(chain);
  const stored = store.hasSegments(chain);
  if (receipt === null) {
    if (places.length > 0) report('missing_receipt', 'the manifest names this chain, yet its receipt is missing');
    // The pod enrolled and sent nothing.
    else if (!stored) return wanted === null ? findings : [judgeMissing(wanted, iat)];
  } else if (isSignedBy(receipt.signed, keys) && receipt.claim.chain === chain) {
    places.push({ seq: receipt.claim.up_to_seq, hash: receipt.claim.head_hash, by: 'receipt' });
    if (store.manifest === null)
      report('missing_receipt', "the chain has a receipt, yet the store's manifest is missing");
  } else report('bad_signature', "the receipt is not signed by the collector's key for this chain");
  if (!stored) {
    report('missing_chain', 'every segment of the chain is missing');
    return findings;
  }
  const attested = attestedOf(one, report);
  findings.push(...verifyChain(chain, store.segments(chain), { places, attested }));
  const conflicts = store.conflicts(chain).length;
  if (conflicts > 0) report('fork', `the pod sent other bytes for places that were stored, ${conflicts} times`);
  return findings;
}

function attestedOf(
  one: ChainCase,
  report: (finding: Finding['finding'], detail: string) => void,
): ReadonlySet<string> {
  const { store, keys, chain, wanted } = one;
  const attested = new Set<string>();
  let owner: Attestation | null = null;
  for (const statement of store.attestations(chain)) {
    const good = statement !== null && isSignedBy(statement.signed, keys) && statement.claim.chain === chain;
    if (!good || thumbprint(statement.claim.key) !== statement.claim.kid) {
      report('bad_signature', "an attestation is not signed by the collector's key for this chain");
      continue;
    }
    owner ??= statement.claim;
    if (!isSamePod(owner, statement.claim))
      report('untrusted_key', 'keys of this chain were attested for different pods');
    else if (wanted !== null && isOtherPod(statement.claim, wanted))
      report('untrusted_key', 'a key was attested for another pod than the controller gave the chain to');
    else attested.add(statement.claim.kid);
  }
  return attested;
}

function isSamePod(one: Attestation, other: Attestation): boolean {
  return one.workload === other.workload && one.pod_uid === other.pod_uid;
}

/** Only where the platform proved the pod: without that the workload is the pod's own word. */
function isOtherPod({ workload, pod_uid: uid }: Attestation, line: ExpectedChain): boolean {
  const [namespace, , name] = workload.split('/');
  const pod = podOf(line);
  return uid !== undefined && pod !== null && pod !== `${namespace}/${name}`;
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
