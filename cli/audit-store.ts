import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChainId } from '#contract/brand.ts';
import { type ChainHead, isChainId } from '#contract/chain.ts';
import { CHAIN_LAYOUT, chainFolder, STORE_LAYOUT } from '#contract/chain-layout.ts';
import {
  type Attestation,
  attestationSchema,
  type Manifest,
  manifestSchema,
  readStatement,
  type Receipt,
  receiptSchema,
  SEGMENT_NAME,
} from '#contract/chain-protocol.ts';
import { parseSegmentStart, walkFrames } from '#contract/chain-segment.ts';
import { SIGNED_TYPE, type Signed } from '#contract/chain-signature.ts';
import { findFrame, type Frame } from '#contract/record-frame.ts';
import { UsageError } from './io.ts';

/** A statement that the collector signed, not yet verified. */
export interface Statement<T> {
  readonly claim: T;
  readonly signed: Signed;
}

/** Evidence as it lies in files. Nothing here is verified; segments are read one at a time. */
export interface AuditStore {
  readonly chains: readonly ChainId[];
  /** The collector's public keys as the store itself holds them. */
  readonly jwks: string;
  readonly manifest: Statement<Manifest> | null;
  /** The controller's list of chains that must exist, as the store itself holds it; null when there is none. */
  readonly expected: string | null;
  hasSegments(chain: ChainId): boolean;
  segments(chain: ChainId): Iterable<{ readonly name: string; readonly bytes: Uint8Array; readonly last: boolean }>;
  receipt(chain: ChainId): Statement<Receipt> | null;
  /** One for each line; null for a line that is none. */
  attestations(chain: ChainId): readonly (Statement<Attestation> | null)[];
  /** Files with bytes that a pod sent where others are stored. */
  conflicts(chain: ChainId): readonly string[];
}

/** Opens a store. @throws UsageError when the folder is no evidence store */
export function openStore(root: string): AuditStore {
  // First: a chain that begins while we read must not look like one that is missing.
  const manifest = readStatement(
    (read(join(root, STORE_LAYOUT.manifest)) ?? '').trim(),
    SIGNED_TYPE.manifest,
    manifestSchema,
  );
  const expected = read(join(root, STORE_LAYOUT.expected));
  const names = list(join(root, STORE_LAYOUT.chains));
  if (names === null)
    throw new UsageError(
      `${root} is not an evidence store: name the folder that the collector keeps (it holds '${STORE_LAYOUT.chains}')`,
    );
  const text = (chain: ChainId, name: string): string => read(join(root, chainFolder(chain), name)) ?? '';
  return {
    chains: names.filter((name) => isChainId(name)).sort(),
    jwks: read(join(root, STORE_LAYOUT.jwks)) ?? '',
    manifest,
    expected,
    hasSegments: (chain) => segmentNames(join(root, chainFolder(chain))).length > 0,
    segments: (chain) => segmentsOf(join(root, chainFolder(chain))),
    receipt: (chain) => readStatement(text(chain, CHAIN_LAYOUT.receipt).trim(), SIGNED_TYPE.receipt, receiptSchema),
    attestations: (chain) =>
      text(chain, CHAIN_LAYOUT.attestations)
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => readStatement(line, SIGNED_TYPE.attestation, attestationSchema)),
    conflicts: (chain) => list(join(root, chainFolder(chain), CHAIN_LAYOUT.conflicts)) ?? [],
  };
}

/** Every intact frame of a chain, in order, with its number. Damage is stepped over: `verify` is who reports it. */
export function* framesOf(
  store: AuditStore,
  chain: ChainId,
): Generator<{ readonly frame: Frame; readonly seq: number; readonly segment: string }> {
  for (const { name, bytes } of store.segments(chain)) {
    const start = parseSegmentStart(bytes);
    if (start === null) continue;
    let { next: at, head }: { next: number | null; head: ChainHead } = start;
    while (at !== null) {
      const from: number = at;
      at = null;
      for (const step of walkFrames(bytes, from, head)) {
        if (step.kind === 'frame') {
          head = step.head;
          yield { frame: step.frame, seq: head.seq, segment: name };
        } else if (step.why !== 'end') at = findFrame(bytes, step.at + 1);
      }
    }
  }
}

function* segmentsOf(
  dir: string,
): Generator<{ readonly name: string; readonly bytes: Uint8Array; readonly last: boolean }> {
  const names = segmentNames(dir);
  for (const name of names) yield { name, bytes: readFileSync(join(dir, name)), last: name === names.at(-1) };
}

function segmentNames(dir: string): readonly string[] {
  return (list(dir) ?? []).filter((name) => SEGMENT_NAME.test(name)).sort();
}

function list(dir: string): readonly string[] | null {
  return whereItExists(() => readdirSync(dir));
}

function read(path: string): string | null {
  return whereItExists(() => readFileSync(path, 'utf8'));
}

function whereItExists<T>(reading: () => T): T | null {
  try {
    return reading();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
