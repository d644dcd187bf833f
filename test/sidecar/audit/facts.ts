import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { ChainId, ExchangeId, Host } from '#contract/brand.ts';
import type { OutcomeFacts, RefusedFacts, RequestFacts } from '#contract/record.ts';
import type { EvidenceOptions } from '#sidecar/audit/evidence.ts';
import { parseRecipients } from '#sidecar/audit/recipients.ts';

/** A set of recipients without files. */
export function recipients() {
  const key = (kid: string) => ({
    ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
    kid,
  });
  return parseRecipients(JSON.stringify({ keys: [key('auditor-1'), key('escrow-1')] }));
}

export function newChain(): ChainId {
  return `chain-${randomBytes(12).toString('base64url')}` as ChainId;
}

export function evidenceOptions(dir: string, more: Partial<EvidenceOptions> = {}): EvidenceOptions {
  return {
    dir,
    chain: newChain(),
    workload: 'clinic/default/notes-0',
    version: '0.1.0',
    config: 'c',
    recipients: recipients(),
    allowMemory: true,
    ...more,
  };
}

export function requestFacts(exchange: string, more: Partial<RequestFacts> = {}): RequestFacts {
  return {
    exchange: exchange as ExchangeId,
    connection: 7,
    dialect: 'anthropic.messages',
    provider: 'anthropic',
    host: 'api.anthropic.com' as Host,
    port: 443,
    agreement: 'anthropic-api',
    model: 'claude-sonnet-4-20250514',
    stream: false,
    policy: '1.2',
    mode: 'enforce',
    would: null,
    checks: ['provider', 'agreement'],
    phi: { name: 2 },
    credential: 'sha256:0a1b2c',
    actor: { workload: 'clinic/default/notes-0', attribution: 'workload' },
    disclosure: true,
    sizes: { received: 100, sent: 110 },
    ...more,
  };
}

export function refusedFacts(exchange: string): RefusedFacts {
  const { connection, dialect, provider, host, port, model, credential, actor } = requestFacts(exchange);
  return {
    exchange: exchange as ExchangeId,
    connection,
    dialect,
    provider,
    host,
    port,
    model,
    credential,
    actor,
    agreement: null,
    policy: '1.2',
    checks: [],
    phi: {},
    reason: 'agreement_missing',
  };
}

export function outcomeFacts(more: Partial<OutcomeFacts> = {}): OutcomeFacts {
  return {
    outcome: 'completed',
    status: 200,
    reason: null,
    usage: { input: 10, output: 20 },
    model: 'claude-sonnet-4-20250514',
    bytes: { received: 10, sent: 12 },
    durations: { total: 12, firstByte: 8, overhead: 1 },
    restored: 2,
    ...more,
  };
}
