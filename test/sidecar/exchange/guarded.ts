import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import type { ExchangeId } from '#contract/brand.ts';
import { compilePolicy } from '#contract/policy-compile.ts';
import { connectionPolicy } from '#contract/policy-connection.ts';
import { barKey, NO_BARRED_KEYS } from '#contract/policy-organization.ts';
import type { Policy } from '#contract/policy.ts';
import { readSource } from '#contract/policy-text.ts';
import type { ExchangeContent, OutcomeFacts, RefusedFacts, RequestFacts } from '#contract/record.ts';
import { BodyBudget } from '#sidecar/exchange/body-budget.ts';
import { AuditUnavailable, type Evidence } from '#sidecar/exchange/evidence.ts';
import type { ExchangePorts, ExchangeReport } from '#sidecar/exchange/exchange-ports.ts';
import { createRequestRefusal } from '#sidecar/exchange/refuse-request.ts';
import { createExchangeHandler } from '#sidecar/exchange/run-exchange.ts';
import { ThinkingMemory } from '#sidecar/exchange/thinking-memory.ts';
import { makePodAuthority } from '#sidecar/init/pod-authority.ts';
import { startIntercept } from '#sidecar/intercept/start-intercept.ts';
import { createForwarder } from '#sidecar/upstream/forward.ts';
import type { Script } from '#test/fake/answer.ts';
import { startProvider, type Provider } from '#test/fake/provider.ts';

export const ANTHROPIC = 'api.anthropic.com';
export const OPENAI = 'api.openai.com';
const HOSTS = [ANTHROPIC, OPENAI];

/** What the records of a guarded room say, in the order in which they became durable. */
export type Entry =
  | { readonly kind: 'request'; readonly facts: RequestFacts; readonly content: ExchangeContent }
  | { readonly kind: 'part'; readonly bytes: Uint8Array }
  | { readonly kind: 'outcome'; readonly facts: OutcomeFacts }
  | { readonly kind: 'refused'; readonly facts: RefusedFacts };

/** Evidence that keeps what it is given, and can be told to fail. */
export interface KeptEvidence extends Evidence {
  readonly entries: Entry[];
  failing: 'no' | 'request' | 'part' | 'finish';
  full: boolean;
}

/** A room with real TLS on both sides: a client, the intercept, the exchange, and a stand-in provider. */
export interface Guarded {
  readonly provider: Provider;
  readonly evidence: KeptEvidence;
  readonly reports: ExchangeReport[];
  readonly root: string;
  readonly port: number;
  policy: Policy | 'missing' | 'stale' | 'unsafe';
  /** The deployer's lists. */
  names: ExchangePorts['names'];
  readonly ask: (host: string, target: string, body: unknown, options?: AskOptions) => Promise<Answer>;
  readonly stop: () => Promise<void>;
}

export interface AskOptions {
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly raw?: Uint8Array | string | Readable;
  readonly method?: string;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** What came before the end, or before the cut. */
  readonly body: string;
  readonly cut: boolean;
}

/** The demo's policy: Anthropic Messages and OpenAI Chat Completions are approved. */
export function demoPolicy(more = ''): Policy {
  const text = readFileSync(new URL('../../../cli/pod/default-policy.yaml', import.meta.url), 'utf8');
  const read = readSource(`${text}${more}`);
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  return compilePolicy(read.source, { namespace: 'phi', labels: {} });
}

function keepEvidence(): KeptEvidence {
  const entries: Entry[] = [];
  const evidence: KeptEvidence = {
    entries,
    failing: 'no',
    full: false,
    state: () => (evidence.full ? 'refuse' : 'ok'),
    connection: () => undefined,
    refused: (facts) => {
      entries.push({ kind: 'refused', facts });
      return Promise.resolve();
    },
    request: (facts, content) => {
      if (evidence.failing === 'request') return Promise.reject(new AuditUnavailable('full'));
      entries.push({ kind: 'request', facts, content });
      return Promise.resolve({
        part: (bytes) => {
          if (evidence.failing === 'part') return Promise.reject(new AuditUnavailable('full'));
          entries.push({ kind: 'part', bytes });
          return Promise.resolve();
        },
        finish: (outcome) => {
          if (evidence.failing === 'finish') return Promise.reject(new AuditUnavailable('full'));
          entries.push({ kind: 'outcome', facts: outcome });
          return Promise.resolve();
        },
      });
    },
  };
  return evidence;
}

/** Opens a guarded room. @param script what the provider answers; default: the text of the last message */
export async function openGuarded(script?: Script): Promise<Guarded> {
  const provider = await startProvider({ hosts: HOSTS, ...(script === undefined ? {} : { script }) });
  const forwarder = createForwarder({
    resolve: () => Promise.resolve(['127.0.0.1']),
    extraRoots: provider.authority.root,
  });
  const evidence = keepEvidence();
  const reports: ExchangeReport[] = [];
  const authority = await makePodAuthority(HOSTS, Date.now());
  const room: Pick<Guarded, 'policy' | 'names'> = { policy: demoPolicy(), names: () => undefined };
  const ports = exchangePorts(room, { evidence, reports, forward: forwarder.forward });
  const intercept = await startIntercept({
    listen: [{ host: '127.0.0.1', port: 0 }],
    originalDestination: () => ({ address: '203.0.113.7', port: provider.port }),
    policy: () => (typeof room.policy === 'string' ? null : connectionPolicy(room.policy, Date.now())),
    resolve: () => Promise.resolve([]),
    dial: async () => {
      const socket = connect({ host: '127.0.0.1', port: provider.port, allowHalfOpen: true });
      await once(socket, 'connect');
      return socket;
    },
    handler: createExchangeHandler(ports),
    refuse: createRequestRefusal(ports),
    ca: {
      intermediate: { certPem: authority.intermediateCertificate, key: authority.intermediateKey },
      leafKey: authority.leafKey,
      permitted: HOSTS,
    },
    onConnection: () => undefined,
    now: Date.now,
  });
  const [port = 0] = intercept.ports;
  const agents = new Map(
    HOSTS.map((servername) => [
      servername,
      new Agent({ connect: { ca: authority.rootCertificate, servername }, allowH2: false }),
    ]),
  );
  return Object.assign(room, {
    provider,
    evidence,
    reports,
    root: authority.rootCertificate,
    port,
    ask: askThrough(agents, port, provider.port),
    stop: async () => {
      await Promise.all([...agents.values()].map(async (agent) => await agent.destroy()));
      await intercept.close();
      await forwarder.close();
      await provider.stop();
    },
  });
}

interface Parts {
  readonly evidence: KeptEvidence;
  readonly reports: ExchangeReport[];
  readonly forward: ExchangePorts['forward'];
}

function exchangePorts(room: Pick<Guarded, 'policy' | 'names'>, parts: Parts): ExchangePorts {
  let barred = NO_BARRED_KEYS;
  let ordinal = 0;
  return {
    now: Date.now,
    mono: () => performance.now(),
    mintId: () => `x-test-${++ordinal}` as ExchangeId,
    policy: () => ({ policy: room.policy, barred, serial: '1.1' }),
    barKey: (fingerprint) => {
      barred = barKey(barred, fingerprint);
    },
    evidence: parts.evidence,
    forward: parts.forward,
    bodies: new BodyBudget(48 * 1024 * 1024, 2_000, (ms, then) => {
      const timer = setTimeout(then, ms);
      return { cancel: () => clearTimeout(timer) };
    }),
    thinking: new ThinkingMemory(randomBytes(32)),
    names: () => room.names(),
    workload: 'phi/default/app-0',
    report: (report) => parts.reports.push(report),
    holdback: () => undefined,
    fault: () => undefined,
  };
}

const KEYS: Readonly<Record<string, Record<string, string>>> = {
  [ANTHROPIC]: { 'x-api-key': 'sk-ant-api03-test', 'anthropic-version': '2023-06-01' },
  [OPENAI]: { authorization: 'Bearer sk-proj-test' },
};

function askThrough(agents: ReadonlyMap<string, Agent>, port: number, asked: number): Guarded['ask'] {
  return async (host, target, body, options = {}) => {
    const response = await request(`https://127.0.0.1:${port}${target}`, {
      dispatcher: agents.get(host)!,
      method: (options.method ?? 'POST') as 'POST',
      headers: { host: `${host}:${asked}`, 'content-type': 'application/json', ...KEYS[host], ...options.headers },
      body: options.raw ?? JSON.stringify(body),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const chunks: Buffer[] = [];
    let cut = false;
    try {
      for await (const chunk of response.body) chunks.push(chunk as Buffer);
    } catch {
      cut = true;
    }
    return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString(), cut };
  };
}
