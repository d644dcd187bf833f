import type { Evidence } from './evidence.ts';
import { DEMO_HOST, IDENTIFIERS } from './note.ts';
import type { Result } from './result.ts';
import { MODEL_STEPS } from './result.ts';

/** One claim of the product and whether this run bore it out. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

const TITLE = {
  'anthropic-plain': 'Anthropic, plain',
  'anthropic-stream': 'Anthropic, streamed',
  'openai-plain': 'OpenAI, plain',
  'openai-stream': 'OpenAI, streamed',
} as const;

/** Judges a run. Pure: each check is a fact about what the sides saw. */
export function judge(evidence: Evidence): readonly Check[] {
  return [
    ...MODEL_STEPS.map((step) => answered(evidence, step)),
    redacted(evidence),
    unapprovedRefused(evidence),
    listedSpliced(evidence),
    unlistedRefused(evidence),
    ...(evidence.mode === 'pod' ? [quicRefused(evidence)] : []),
    recorded(evidence),
    sealed(evidence),
    opened(evidence),
    verified(evidence),
    counted(evidence),
  ];
}

/** What only a pod can show. */
export const POD_ONLY = [
  'the redirect: here the application was told the proxy by HTTPS_PROXY, and could have gone around it',
  'QUIC: UDP port 443 is not refused here',
  'the separate uid of the guard, its evidence on a volume that the application does not see',
] as const;

/** The result of one step. */
export function resultOf<S extends Result['step']>(
  evidence: Evidence,
  step: S,
): Extract<Result, { readonly step: S }> | undefined {
  return evidence.results.find((result): result is Extract<Result, { readonly step: S }> => result.step === step);
}

/** The identifiers that stand in a text. */
function identifiersIn(text: string): readonly string[] {
  return IDENTIFIERS.filter((identifier) => text.includes(identifier));
}

function answered(evidence: Evidence, step: (typeof MODEL_STEPS)[number]): Check {
  const result = evidence.results.find((each) => each.step === step);
  const text = result !== undefined && 'text' in result ? (result.text ?? '') : '';
  const error = result !== undefined && 'text' in result ? result.error : 'the application did not get that far';
  const missing = IDENTIFIERS.filter((identifier) => !text.includes(identifier));
  const detail =
    missing.length === 0 ? 'every identifier is back in its place' : (error ?? `missing: ${missing.join(', ')}`);
  return { name: `the application got its answer (${TITLE[step]})`, ok: missing.length === 0, detail };
}

function redacted({ received, receivedRaw }: Evidence): Check {
  const leaked = identifiersIn(receivedRaw);
  const asked = received.filter(({ host }) => host === DEMO_HOST.anthropic || host === DEMO_HOST.openai).length;
  const ok = leaked.length === 0 && asked === MODEL_STEPS.length;
  const detail =
    leaked.length > 0
      ? `leaked: ${leaked.join(', ')}`
      : `${asked} requests, ${IDENTIFIERS.length} identifiers looked for`;
  return { name: 'no identifier reached a provider', ok, detail };
}

function unapprovedRefused(evidence: Evidence): Check {
  const result = resultOf(evidence, 'unapproved');
  const arrived = evidence.received.filter(({ host }) => host === DEMO_HOST.unapproved).length;
  const ok = result?.status === 403 && result.attempts === 1 && arrived === 0;
  const detail = `${result?.attempts ?? 0} attempt(s), HTTP ${result?.status ?? 'none'}, ${result?.code ?? result?.message ?? ''}`;
  return { name: 'a provider without an agreement is refused, with its reason and without a retry', ok, detail };
}

function listedSpliced(evidence: Evidence): Check {
  const result = resultOf(evidence, 'listed');
  const ok = result?.fingerprint === evidence.directFingerprint;
  const detail = ok
    ? `certificate ${evidence.directFingerprint.slice(0, 23)}...`
    : (result?.error ?? 'another certificate');
  return { name: 'a listed host is passed unopened: the same certificate as outside', ok, detail };
}

function unlistedRefused(evidence: Evidence): Check {
  const error = resultOf(evidence, 'unlisted')?.error ?? null;
  const arrived = evidence.received.some(({ host }) => host === DEMO_HOST.unlisted);
  return {
    name: 'a host that is not listed is refused',
    ok: error !== null && !arrived,
    detail: shorten(error ?? 'it was answered'),
  };
}

function quicRefused(evidence: Evidence): Check {
  const error = resultOf(evidence, 'quic')?.error ?? null;
  return {
    name: 'QUIC is refused at once, so clients fall back to TCP',
    ok: error !== null,
    detail: error ?? 'a datagram left',
  };
}

function recorded({ records }: Evidence): Check {
  const ids = (stage: string) =>
    new Set(records.flatMap((record) => (record.stage === stage && record.id ? [record.id] : [])));
  const [requests, responses] = [ids('request'), ids('response')];
  const ok =
    requests.size >= MODEL_STEPS.length &&
    [...responses].every((id) => requests.has(id)) &&
    responses.size >= MODEL_STEPS.length;
  return {
    name: 'each exchange left its records',
    ok,
    detail: `${requests.size} requests, ${responses.size} outcomes`,
  };
}

function sealed({ stored }: Evidence): Check {
  const found = IDENTIFIERS.filter((identifier) => stored.includes(identifier));
  const detail = found.length === 0 ? `${stored.length} bytes, no identifier in them` : `in clear: ${found.join(', ')}`;
  return { name: 'the evidence is sealed', ok: stored.length > 0 && found.length === 0, detail };
}

function opened({ opened: exchange }: Evidence): Check {
  if (exchange === null) return { name: "the auditor's key opens it", ok: false, detail: 'it did not open' };
  const missing = IDENTIFIERS.filter((identifier) => !exchange.vault.includes(identifier));
  const leaked = identifiersIn(exchange.sent);
  const ok = leaked.length === 0 && missing.length < IDENTIFIERS.length;
  const detail = `exchange ${exchange.id}: the request as sent, and the surrogates with what they stand for`;
  return { name: "the auditor's key opens it", ok, detail };
}

function verified({ verify }: Evidence): Check {
  return {
    name: 'the chain of evidence is whole',
    ok: verify.code === 0,
    detail: shorten(verify.said.split('\n').at(-1) ?? ''),
  };
}

function counted({ metrics }: Evidence): Check {
  const wanted = [
    'lazaret_exchanges_total',
    'lazaret_refusals_total',
    'lazaret_redactions_total',
    'lazaret_connections_total',
  ];
  const moved = wanted.filter((name) => sumOf(metrics, name) > 0);
  return {
    name: 'the metrics moved',
    ok: moved.length === wanted.length,
    detail: moved.map((name) => `${name} ${sumOf(metrics, name)}`).join(', '),
  };
}

/** The sum of a counter over its labels. */
function sumOf(metrics: string, name: string): number {
  const lines = metrics.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

function shorten(text: string): string {
  const [line = ''] = text.split('\n');
  return line.length > 160 ? `${line.slice(0, 157)}...` : line;
}
