import { LIMIT } from '#contract/limit.ts';
import type { ExemptionDocument } from '#contract/policy-schema.ts';
import { isExemptible } from '../admission/bypass-rules.ts';

const KEY = /^([a-z0-9A-Z]([-a-z0-9A-Z.]{0,251}[a-z0-9A-Z])?\/)?[a-z0-9A-Z]([-a-z0-9A-Z_.]{0,61}[a-z0-9A-Z])?$/;
const VALUE = /^([a-z0-9A-Z]([-a-z0-9A-Z_.]{0,61}[a-z0-9A-Z])?)?$/;

/**
 * The hardening exemptions in force at a moment, as the ValidatingAdmissionPolicies read them: `NAMESPACE.RULE` to alternatives with
 * commas between them, each `*` (every pod) or `key=value;key=value` (labels that must all stand at the pod).
 * A selector that no pod can have, because it holds something that is no label, is left out: its characters could be read as
 * another alternative. What does not fit is left out too, which grants less.
 * @param documents exemptions without a fault
 * @param now ms since the epoch
 */
export function exemptionEntries(
  documents: readonly ExemptionDocument[],
  now: number,
): Readonly<Record<string, string>> {
  const entries = new Map<string, Set<string>>();
  let bytes = 0;
  for (const { spec } of documents) {
    const selector = writeSelector(spec.podSelector.matchLabels);
    if (selector === null || now < spec.from || now >= spec.until) continue;
    for (const namespace of spec.namespaces)
      for (const rule of (spec.grant.hardening ?? []).filter(isExemptible)) {
        const key = `${namespace}.${rule}`;
        const known = entries.get(key) ?? new Set();
        bytes += key.length + selector.length + 8;
        if (bytes <= LIMIT.exemptionsBytes) entries.set(key, known.add(selector));
      }
  }
  return Object.fromEntries(
    [...entries]
      .map(([key, selectors]) => [key, [...selectors].sort().join(',')] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** @returns null when no pod can have these labels */
function writeSelector(matchLabels: Readonly<Record<string, string>>): string | null {
  const labels = Object.entries(matchLabels);
  if (labels.some(([key, value]) => !KEY.test(key) || !VALUE.test(value))) return null;
  return labels.length === 0
    ? '*'
    : labels
        .map(([key, value]) => `${key}=${value}`)
        .sort()
        .join(';');
}

/** @returns the next moment, later than `now`, at which a hardening exemption begins or ends; null when there is none */
export function nextExemptionTurn(documents: readonly ExemptionDocument[], now: number): number | null {
  const turns = documents
    .filter(({ spec }) => spec.grant.hardening !== undefined)
    .flatMap(({ spec }) => [spec.from, spec.until])
    .filter((at) => at > now);
  return turns.length === 0 ? null : Math.min(...turns);
}
