import { parseHost } from '#contract/host.ts';
import { hostMatches } from '#contract/host.ts';
import { connectionPolicy } from '#contract/policy-connection.ts';
import { classifyCredential } from '#contract/policy-credential.ts';
import { decideExchange, decideHead } from '#contract/policy-decision.ts';
import type { Check, HeadDecision, HeadFacts } from '#contract/policy-facts.ts';
import type { Policy } from '#contract/policy.ts';
import type { Reason } from '#contract/reason.ts';
import { REASONS } from '#contract/reason.ts';
import { isLlmPath, lookupLlmHost } from '#contract/register.ts';
import { parseTime } from '#contract/policy-time.ts';
import { dialectFor } from '#llm/dialect.ts';
import { headerFeatures } from '#llm/features.ts';
import type { Arguments } from './arguments.ts';
import { parseArguments } from './arguments.ts';
import type { CommandIo } from './io.ts';
import { UsageError } from './io.ts';
import { compileFor, parsePair, readPolicySource } from './policy-source.ts';

const OPTIONS = {
  policy: 'value',
  host: 'value',
  method: 'value',
  path: 'value',
  header: 'values',
  model: 'value',
  feature: 'values',
  namespace: 'value',
  label: 'values',
  at: 'value',
  clear: 'switch',
  json: 'switch',
} as const;

/** What `explain` answers. */
interface Explanation {
  /** `splice`: the host is listed and passed on unread. `monitor`: let through only by a monitor grant. */
  readonly decision: 'allow' | 'monitor' | 'splice' | 'refuse';
  readonly reason: Reason | null;
  readonly agreement: string | null;
  readonly checks: readonly Check[];
}

/** `lazaret policy explain`: what the guard would decide on a request, and by which checks. Exit code 1 for a refusal. */
export async function explainPolicy(args: readonly string[], io: CommandIo): Promise<number> {
  const given = parseArguments(args, OPTIONS);
  if (given.positionals.length > 0) throw new UsageError('explain takes options only: see --help');
  const policy = compileFor(await readPolicySource(io, given.required('policy')), given);
  const explanation = explain(policy, given);
  io.stdout(given.has('json') ? `${JSON.stringify(explanation)}\n` : describe(explanation));
  return explanation.decision === 'refuse' ? 1 : 0;
}

function explain(policy: Policy, given: Arguments): Explanation {
  const now = timeOf(given.value('at'));
  const host = parseHost(given.required('host'));
  if (host === null) throw new UsageError('--host takes a host name without scheme and port');
  const target = given.value('path') ?? '/';
  if (!target.startsWith('/')) throw new UsageError('--path begins with "/"');
  const known = lookupLlmHost(host);
  const connection = connectionPolicy(policy, now);
  const covered = connection.agreementHosts.some((pattern) => hostMatches(pattern, host));
  if (!covered && (known === null || !isLlmPath(known, target))) return explainDestination(host, connection);
  return explainExchange(policy, given, { host, target, now });
}

function explainDestination(
  host: Parameters<typeof hostMatches>[1],
  { destinations, monitor }: ReturnType<typeof connectionPolicy>,
): Explanation {
  const listed = destinations.some((pattern) => hostMatches(pattern, host));
  const checks = [
    {
      name: 'provider' as const,
      ok: listed,
      detail: listed ? 'a listed destination' : 'neither an agreement nor a listed destination',
    },
  ];
  if (listed) return { decision: 'splice', reason: null, agreement: null, checks };
  return { decision: monitor ? 'monitor' : 'refuse', reason: 'destination_not_allowed', agreement: null, checks };
}

interface Asked {
  readonly host: HeadFacts['host'];
  readonly target: string;
  readonly now: number;
}

function explainExchange(policy: Policy, given: Arguments, { host, target, now }: Asked): Explanation {
  const method = given.value('method') ?? 'POST';
  const headers = given.values('header').map(parsePair);
  const organization = headers.find(([name]) => name.toLowerCase() === 'openai-organization')?.[1];
  const facts: HeadFacts = {
    host,
    secure: !given.has('clear'),
    method,
    path: target.split('?')[0] ?? target,
    dialect: dialectFor(method, target)?.dialect ?? null,
    credential: classifyCredential(headers),
    user: headers.some(([name]) => name.toLowerCase() === 'x-lazaret-user') ? 'header' : 'workload',
    ...(organization === undefined ? {} : { organization }),
  };
  const head = decideHead(policy, facts, now);
  const model = given.value('model');
  const features = [...headerFeatures(headers), ...given.values('feature')];
  if (model === undefined && features.length === 0) return summarize(head);
  return summarize(decideExchange(policy, { ...facts, model: model ?? null, features, userInBody: true }, now));
}

function summarize(decided: HeadDecision | ReturnType<typeof decideExchange>): Explanation {
  const { agreement, checks } = decided;
  if (decided.kind === 'refuse') return { decision: 'refuse', reason: decided.refusal.reason, agreement, checks };
  return {
    decision: decided.mode === 'monitor' ? 'monitor' : 'allow',
    reason: decided.would ?? null,
    agreement,
    checks,
  };
}

function describe({ decision, reason, agreement, checks }: Explanation): string {
  const first = reason === null ? decision : `${decision}: ${reason}. ${REASONS[reason].sentence}`;
  const lines = checks.map(
    ({ name, ok, detail }) => `  ${ok ? 'ok  ' : 'FAIL'} ${name}${detail === undefined ? '' : `: ${detail}`}`,
  );
  return `${[first, ...(agreement === null ? [] : [`  agreement ${agreement}`]), ...lines].join('\n')}\n`;
}

function timeOf(text: string | undefined): number {
  if (text === undefined) return Date.now();
  return parseTime(text, 'start') ?? wrongTime();
}

function wrongTime(): never {
  throw new UsageError('--at takes a date (2026-11-30) or an RFC 3339 time');
}
