import { ANNOTATION } from '#contract/labels.ts';
import { findingOf } from './bypass-rules.ts';
import type { Pod } from './pod.ts';
import { formatCpu, formatMemory, parseQuantity } from './quantity.ts';
import type { Finding } from './rule.ts';
import type { AdmissionValues } from './values.ts';

/** What an author may choose about the sidecar. */
export interface AuthorOptions {
  readonly resources: AdmissionValues['sidecar']['resources'];
  readonly logLevel: string;
}

const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'];

/**
 * Reads the three annotations of an author. An amount is the container's limit; its request is the chart's, lowered to
 * the limit where that is smaller.
 * @returns the options, or the findings that name each annotation that is out of bounds
 */
export function readAuthorOptions(
  pod: Pod,
  sidecar: AdmissionValues['sidecar'],
  prefix: string,
):
  | { readonly ok: true; readonly options: AuthorOptions }
  | { readonly ok: false; readonly findings: readonly Finding[] } {
  const annotations = pod.metadata?.annotations ?? {};
  const given = (name: string) => (Object.hasOwn(annotations, name) ? (annotations[name] ?? '') : undefined);
  const cpu = readAmount(given(ANNOTATION.sidecarCpu), sidecar.bounds.cpu, sidecar.resources.limits.cpu, formatCpu);
  const memory = readAmount(
    given(ANNOTATION.sidecarMemory),
    sidecar.bounds.memory,
    sidecar.resources.limits.memory,
    formatMemory,
  );
  const logLevel = given(ANNOTATION.logLevel) ?? sidecar.logLevel;
  const faults = [
    ...(cpu === null ? [fault(prefix, ANNOTATION.sidecarCpu, sidecar.bounds.cpu)] : []),
    ...(memory === null ? [fault(prefix, ANNOTATION.sidecarMemory, sidecar.bounds.memory)] : []),
    ...(LOG_LEVELS.includes(logLevel) ? [] : [findingOf('ADM-24', annotationField(prefix, ANNOTATION.logLevel))]),
  ];
  if (cpu === null || memory === null || faults.length > 0) return { ok: false, findings: faults };
  const requests = {
    cpu: smaller(sidecar.resources.requests.cpu, cpu),
    memory: smaller(sidecar.resources.requests.memory, memory),
  };
  return { ok: true, options: { logLevel, resources: { requests, limits: { cpu, memory } } } };
}

interface Bounds {
  readonly min: string;
  readonly max: string;
}

function readAmount(
  text: string | undefined,
  bounds: Bounds,
  fallback: string,
  format: (amount: number) => string,
): string | null {
  if (text === undefined) return fallback;
  const amount = parseQuantity(text);
  const [min, max] = [parseQuantity(bounds.min), parseQuantity(bounds.max)];
  if (amount === null || min === null || max === null) return null;
  return amount < min || amount > max ? null : format(amount);
}

function smaller(request: string, limit: string): string {
  return (parseQuantity(request) ?? 0) <= (parseQuantity(limit) ?? 0) ? request : limit;
}

function fault(prefix: string, name: string, { min, max }: Bounds): Finding {
  return findingOf(
    'ADM-24',
    annotationField(prefix, name),
    `the chart allows ${min} to ${max}, so that the guard neither starves nor takes the node.`,
  );
}

function annotationField(prefix: string, name: string): string {
  return `${prefix}metadata.annotations["${name}"]`;
}
