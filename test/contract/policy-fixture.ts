import type { Host } from '#contract/brand.ts';
import type { Workload } from '#contract/policy-compile.ts';
import { compilePolicy } from '#contract/policy-compile.ts';
import { classifyCredential } from '#contract/policy-credential.ts';
import type { ExchangeFacts } from '#contract/policy-facts.ts';
import type { Policy } from '#contract/policy.ts';
import type { PolicySource } from '#contract/policy-source.ts';
import { describeFault, parseSource } from '#contract/policy-source.ts';

/** Parts of a `spec`, as an author writes them. */
export type Spec = Readonly<Record<string, unknown>>;

const API = 'lazaret.dev/v1alpha1';

/** A signed agreement with Anthropic's API; `over` replaces fields of the spec. */
export function agreement(over: Spec = {}, name = 'anthropic-api'): Spec {
  const spec = {
    provider: 'Anthropic',
    product: 'Claude API',
    match: { hosts: ['api.anthropic.com'], paths: ['POST /v1/messages'] },
    contract: { status: 'signed', ref: 'BAA-1', signedOn: '2026-01-15', expiresOn: '2027-01-14' },
    lastVerified: { date: '2026-11-01', by: 'privacy office' },
    ...over,
  };
  return { apiVersion: API, kind: 'ProviderAgreement', metadata: { name }, spec };
}

/** `match` of the agreement above with some of its fields replaced. */
export function match(over: Spec): Spec {
  return { match: { hosts: ['api.anthropic.com'], paths: ['POST /v1/messages'], ...over } };
}

/** `contract` of the agreement above with some of its fields replaced. */
export function contract(over: Spec): Spec {
  return { contract: { status: 'signed', ref: 'BAA-1', signedOn: '2026-01-15', expiresOn: '2027-01-14', ...over } };
}

export function egressPolicy(spec: Spec, name = 'narrow', namespace = 'phi'): Spec {
  return { apiVersion: API, kind: 'EgressPolicy', metadata: { name, namespace }, spec };
}

export function exemption(grant: Spec, over: Spec = {}, name = 'grant'): Spec {
  const spec = {
    reason: 'a trial',
    approvedBy: 'security officer',
    from: '2026-11-01',
    until: '2026-11-30',
    namespaces: ['phi'],
    grant,
    ...over,
  };
  return { apiVersion: API, kind: 'GuardExemption', metadata: { name }, spec };
}

export function values(over: Spec): Spec {
  return { values: over };
}

/** @throws Error with the faults, so that a test with a wrong source fails by its name */
export function sourceOf(...documents: readonly Spec[]): PolicySource {
  const result = parseSource(documents);
  if (!result.ok) throw new Error(result.faults.map(describeFault).join('\n'));
  return result.source;
}

/** The faults of a source, one line each. */
export function faultsOf(...documents: readonly unknown[]): readonly string[] {
  const result = parseSource(documents);
  return result.ok ? [] : result.faults.map(describeFault);
}

export const WORKLOAD: Workload = { namespace: 'phi', labels: { app: 'triage' } };

export function policyOf(...documents: readonly Spec[]): Policy {
  return compilePolicy(sourceOf(...documents), WORKLOAD);
}

export const NOW = Date.parse('2026-11-22T12:00:00Z');

/** Header fields with a key of Anthropic's API. */
const API_KEY = [['x-api-key', 'sk-ant-api03-invented']] as const;

/** A covered request to Anthropic's Messages; `over` replaces facts. */
export function facts(over: Partial<ExchangeFacts> = {}): ExchangeFacts {
  return {
    host: 'api.anthropic.com' as Host,
    secure: true,
    method: 'POST',
    path: '/v1/messages',
    dialect: 'anthropic-messages',
    credential: classifyCredential(API_KEY),
    user: 'workload',
    model: 'claude-sonnet-5',
    features: [],
    userInBody: false,
    ...over,
  };
}
