import type { Check } from './checks.ts';
import { resultOf } from './checks.ts';
import type { Evidence } from './evidence.ts';
import { DEMO_HOST, NOTE } from './note.ts';

const WIDTH = 100;
const INDENT = '    ';

/** Renders a run for a person, in lines of at most 100 columns. */
export function renderRun(evidence: Evidence, checks: readonly Check[]): string {
  const { records, metrics } = evidence;
  const sent = evidence.received.find(({ host }) => host === DEMO_HOST.anthropic);
  const unapproved = resultOf(evidence, 'unapproved');
  const answer = evidence.results.find((result) => result.step === 'anthropic-stream');
  const first = records.find(({ stage }) => stage === 'request');
  return [
    section('What the application sent', NOTE),
    section(`What ${DEMO_HOST.anthropic} received`, sent === undefined ? 'nothing' : promptOf(sent.body)),
    section('What the application got', (answer !== undefined && 'text' in answer ? answer.text : null) ?? 'nothing'),
    section(
      `What the SDK says about ${DEMO_HOST.unapproved}, which has no agreement`,
      unapproved?.message ?? 'nothing',
    ),
    section('The record of the first exchange: who, where to, what was found; no content', jsonLines(first ?? null)),
    section('Its content, as it is stored', sealedExcerpt(evidence.stored)),
    section("The same exchange, opened with the auditor's key: the vault", openedVault(evidence)),
    section('lazaret audit verify', evidence.verify.said),
    section('Metrics that moved', movedMetrics(metrics)),
    renderChecks(checks),
  ].join('\n');
}

/** The checks, one line each, with what they rest on. */
function renderChecks(checks: readonly Check[]): string {
  const lines = checks.flatMap(({ name, ok, detail }) => [
    ...wrap(`${ok ? 'ok  ' : 'FAIL'} ${name}`, '     '),
    ...wrap(`     ${detail}`, '     '),
  ]);
  const failed = checks.filter(({ ok }) => !ok).length;
  const sum = failed === 0 ? `All ${checks.length} checks hold.` : `${failed} of ${checks.length} checks failed.`;
  return [heading('Checks'), ...lines, '', sum, ''].join('\n');
}

function section(title: string, body: string): string {
  const lines = body.split('\n').flatMap((line) => wrap(INDENT + line, INDENT));
  return [heading(title), ...lines, ''].join('\n');
}

function heading(title: string): string {
  return `-- ${title} ${'-'.repeat(Math.max(0, WIDTH - title.length - 4))}`;
}

/** Breaks a line at spaces where it can; a word longer than the line is cut. */
function wrap(line: string, indent: string): readonly string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > WIDTH) {
    const space = rest.lastIndexOf(' ', WIDTH);
    const at = space > indent.length ? space : WIDTH;
    lines.push(rest.slice(0, at));
    rest = indent + rest.slice(at).trimStart();
  }
  return [...lines, rest];
}

/** The beginning of a sealed part: a compact JWE (RFC 7516 §3.1), which starts with its header in base64url. */
function sealedExcerpt(stored: Buffer): string {
  const jwe = /eyJ[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+/.exec(stored.toString('latin1'))?.[0];
  return jwe === undefined ? 'nothing' : `${jwe.slice(0, 3 * (WIDTH - INDENT.length) - 3)}...`;
}

function openedVault({ opened }: Evidence): string {
  if (opened === null) return 'it did not open';
  const entries: unknown = JSON.parse(opened.vault);
  return Array.isArray(entries) ? entries.map((entry) => JSON.stringify(entry)).join('\n') : opened.vault;
}

/** JSON with a line for each field of the outermost object. */
function jsonLines(value: object | null): string {
  if (value === null) return 'none';
  return Object.entries(value)
    .map(([name, field]) => `${name}: ${JSON.stringify(field).replaceAll(',"', ', "')}`)
    .join('\n');
}

function promptOf(body: string): string {
  const parsed = JSON.parse(body) as { readonly messages?: readonly { readonly content?: unknown }[] };
  const content = parsed.messages?.[0]?.content;
  return typeof content === 'string' ? content : JSON.stringify(content);
}

function movedMetrics(metrics: string): string {
  const shown = /^lazaret_(exchanges|connections|refusals|redactions)_total\{/;
  return metrics
    .split('\n')
    .filter((line) => shown.test(line) && !line.endsWith(' 0'))
    .join('\n');
}
