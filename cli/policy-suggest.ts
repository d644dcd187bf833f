import type { JWK } from 'jose';
import { parseHost } from '#contract/host.ts';
import type { Reason } from '#contract/reason.ts';
import { REASONS } from '#contract/reason.ts';
import type { Frame } from '#contract/record-frame.ts';
import { FRAME_TYPE } from '#contract/record-frame.ts';
import type { StoredRecord } from '#contract/record-read.ts';
import { readRecord } from '#contract/record-read.ts';
import { lookupLlmHost } from '#contract/register.ts';
import { openContentKey, openPart, parsePartName } from '#contract/seal.ts';
import { parseArguments } from './arguments.ts';
import { framesOf, openStore } from './audit-store.ts';
import type { CommandIo } from './io.ts';
import { UsageError } from './io.ts';
import { readNamed } from './policy-source.ts';

/** One destination that workloads used. */
interface Suggestion {
  /** The name, or null where it is sealed and no key was given, or the workload named none. */
  readonly host: string | null;
  readonly port: number | null;
  readonly connections: number;
  /** What policy lacks for it: nothing, an entry of `egress.destinations`, or a ProviderAgreement. */
  readonly needs: 'nothing' | 'destination' | 'agreement';
}

/**
 * `lazaret policy suggest`: the destinations that the evidence of a store holds, and what policy lacks for each. Names that policy does
 * not list are sealed, because a workload could invent them: only the auditor's key shows them.
 */
export async function suggestPolicy(args: readonly string[], io: CommandIo): Promise<number> {
  const given = parseArguments(args, { store: 'value', key: 'value', json: 'switch' });
  if (given.positionals.length > 0) throw new UsageError('suggest takes options only: see --help');
  const keyFile = given.value('key');
  const key = keyFile === undefined ? null : parseKey(await readNamed(io, keyFile), keyFile);
  const store = openStore(given.required('store'));
  const found = new Map<string, Suggestion>();
  for (const chain of store.chains) {
    const names: SealedNames = { key, secrets: new Map(), hosts: new Map() };
    for (const { frame } of framesOf(store, chain)) await addFrame(found, frame, names);
  }
  const suggestions = [...found.values()].sort((a, b) => b.connections - a.connections);
  for (const suggestion of suggestions)
    io.stdout(given.has('json') ? `${JSON.stringify(suggestion)}\n` : describe(suggestion));
  if (key === null && suggestions.some(({ host }) => host === null))
    io.stderr('names that policy does not list are sealed: give the auditor’s key with --key to see them\n');
  return 0;
}

function describe({ host, port, connections, needs }: Suggestion): string {
  const remedy = {
    nothing: 'covered',
    destination: 'needs an entry in egress.destinations',
    agreement: 'needs a ProviderAgreement',
  }[needs];
  return `${host ?? '(sealed or unnamed)'}:${port ?? '?'}  ${connections}  ${remedy}\n`;
}

/** What the auditor's key opens of a chain while its frames pass: content keys, and the names they seal by record. */
interface SealedNames {
  readonly key: JWK | null;
  readonly secrets: Map<string, Uint8Array>;
  readonly hosts: Map<string, string>;
}

/** A name's part stands before its record. A segment that was not sealed to this key gives no names. */
async function addFrame(found: Map<string, Suggestion>, frame: Frame, names: SealedNames): Promise<void> {
  if (frame.type === FRAME_TYPE.part) return openName(frame, names);
  if (frame.type === FRAME_TYPE.key) {
    const opened = names.key === null ? null : await openContentKey(frame.payload, names.key).catch(() => null);
    if (opened !== null) names.secrets.set(opened.kid, opened.secret);
    return;
  }
  const record = readRecord(frame)?.record;
  if (record === undefined) return;
  addRecord(found, record, names.hosts);
  names.hosts.delete(record.id ?? '');
}

async function openName({ payload }: Frame, { secrets, hosts }: SealedNames): Promise<void> {
  const part = parsePartName(payload);
  const secret = part?.kind === 'host' ? secrets.get(part.kid) : undefined;
  if (part === null || secret === undefined) return;
  const plain = await openPart(payload, secret).catch(() => null);
  const host = plain === null ? null : parseHost(new TextDecoder().decode(plain));
  if (host !== null) hosts.set(part.record, host);
}

function addRecord(found: Map<string, Suggestion>, record: StoredRecord, names: ReadonlyMap<string, string>): void {
  if (record.stage !== 'connection' && record.stage !== 'request' && record.stage !== 'blocked') return;
  const recipient = objectOf(record['recipient']);
  const host = clearHost(recipient['host']) ?? names.get(record.id ?? '') ?? null;
  const port = typeof recipient['port'] === 'number' ? recipient['port'] : null;
  const lacking = record.stage !== 'connection' || isLlm(host) ? 'agreement' : 'destination';
  const needs = lacksPolicy(objectOf(record['decision'])) ? lacking : 'nothing';
  const id = `${host}:${port}:${needs}`;
  found.set(id, { host, port, connections: (found.get(id)?.connections ?? 0) + 1, needs });
}

/** Whether policy stopped it, or would have but for a monitor grant; other refusals are not for policy to mend. */
function lacksPolicy(decision: Readonly<Record<string, unknown>>): boolean {
  const reason = decision['would'] ?? decision['reason'];
  const known = (Object.keys(REASONS) as Reason[]).find((code) => code === reason);
  return known !== undefined && REASONS[known].actor === 'policy-owner';
}

/** A host or a pattern of policy, as records hold it in clear. */
function clearHost(value: unknown): string | null {
  return typeof value === 'string' && parseHost(value.replace(/^\*\./, '')) !== null ? value : null;
}

function isLlm(name: string | null): boolean {
  const host = name === null ? null : parseHost(name);
  return host !== null && lookupLlmHost(host) !== null;
}

function parseKey(text: string, path: string): JWK {
  try {
    const jwk = JSON.parse(text) as JWK | null;
    if (jwk?.kty === 'EC' && typeof jwk.d === 'string') return jwk;
  } catch {
    // Told below, with what the file must be.
  }
  throw new UsageError(`${path} is not a private JWK: give auditor.private.jwk as lazaret keys init made it`);
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
