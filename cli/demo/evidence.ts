import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { runProgram } from './child.ts';
import type { Received, Stage } from './stage.ts';
import { directFingerprint, parseResults, readReceived } from './stage.ts';
import { DEMO_HOST } from './note.ts';
import type { Result } from './result.ts';

/** What `lazaret audit list --json` says of a record, as far as the demo looks. */
const RECORD = z.looseObject({ stage: z.string(), id: z.string().nullish(), chain: z.string(), seq: z.number() });
export type ListedRecord = z.infer<typeof RECORD>;

/** What `lazaret audit open --json` says of an exchange, as far as the demo looks. */
const OPENED = z.looseObject({ sent: z.string(), received: z.string(), vault: z.unknown() });

/** All that the demo judges: what each side saw. */
export interface Evidence {
  readonly mode: 'pod' | 'proxy';
  readonly results: readonly Result[];
  readonly received: readonly Received[];
  readonly receivedRaw: string;
  readonly directFingerprint: string;
  readonly records: readonly ListedRecord[];
  /** Every byte of the collector's store. */
  readonly stored: Buffer;
  /** The first exchange, opened with the auditor's key. */
  readonly opened: { readonly id: string; readonly sent: string; readonly vault: string } | null;
  readonly verify: { readonly code: number | null; readonly said: string };
  readonly metrics: string;
}

/** Collects what a run left behind, by the commands that an auditor has. */
export async function readEvidence(mode: Evidence['mode'], stage: Stage, stdout: string): Promise<Evidence> {
  const store = join(stage.dir, 'store');
  const [list, verify, received, fingerprint, metrics, stored] = await Promise.all([
    runProgram('cli/main.ts', ['audit', 'list', '--store', store, '--json']),
    runProgram('cli/main.ts', ['audit', 'verify', '--store', store]),
    readReceived(stage),
    directFingerprint(stage, DEMO_HOST.listed),
    readFile(join(stage.dir, 'metrics'), 'utf8').catch(() => ''),
    readStore(store),
  ]);
  const lines = list.stdout.split('\n').filter((line) => line !== '');
  const records = lines.map((line) => RECORD.parse(JSON.parse(line)));
  const first = records.find((record) => record.stage === 'request')?.id;
  return {
    mode,
    results: parseResults(stdout),
    received: received.requests,
    receivedRaw: received.raw,
    directFingerprint: fingerprint,
    records,
    stored,
    opened: first === undefined || first === null ? null : await openExchange(stage, store, first),
    verify: { code: verify.code, said: `${verify.stdout}${verify.stderr}`.trim() },
    metrics,
  };
}

async function openExchange(stage: Stage, store: string, id: string): Promise<Evidence['opened']> {
  const key = join(stage.dir, 'keys/auditor.private.jwk');
  const opened = await runProgram('cli/main.ts', [
    'audit',
    'open',
    '--store',
    store,
    '--key',
    key,
    '--id',
    id,
    '--json',
  ]);
  if (opened.code !== 0) return null;
  const { sent, vault } = OPENED.parse(JSON.parse(opened.stdout));
  return { id, sent, vault: JSON.stringify(vault) };
}

async function readStore(dir: string): Promise<Buffer> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  return Buffer.concat(await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name)))));
}
