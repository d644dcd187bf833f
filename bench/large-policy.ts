import type { PolicyInputs, RawObject } from '../controller/ports.ts';

/** The resources of a large cluster, and its namespaces. */
export interface LargePolicy {
  readonly inputs: PolicyInputs;
  readonly namespaces: readonly string[];
}

/**
 * Resources of a large cluster as the API server gives them: agreements of usual size, and in every namespace an EgressPolicy that
 * makes its policy unlike all others.
 */
export function largePolicy(namespaceCount: number, agreementCount: number, revision = 1): LargePolicy {
  const namespaces = Array.from({ length: namespaceCount }, (_, index) => `ward-${index}`);
  return {
    namespaces,
    inputs: {
      agreements: Array.from({ length: agreementCount }, (_, index) => agreement(index)),
      egress: namespaces.map((namespace, index) => egressPolicy(namespace, index)),
      exemptions: [],
      values: { egress: { destinations: ['packages.example.org', '*.internal.example.org'] } },
      revision,
    },
  };
}

function agreement(index: number): RawObject {
  return {
    apiVersion: 'lazaret.dev/v1alpha1',
    kind: 'ProviderAgreement',
    metadata: { name: `agreement-${index}`, uid: `uid-${index}`, resourceVersion: String(index) },
    spec: {
      provider: `Provider ${index}`,
      product: 'API, HIPAA-ready organization',
      match: {
        hosts: [`api-${index}.provider.example`],
        paths: ['POST /v1/messages', 'POST /v1/messages/count_tokens', 'POST /v1/chat/completions'],
        denyFeatures: ['beta:code-execution-*', 'beta:files-api-*', 'beta:mcp-client-*', 'body:mcp_servers'],
        allowModels: ['model-large-*', 'model-small-*'],
        organization: { header: 'x-organization-id', ids: [`00000000-0000-4000-8000-0000000000${index + 10}`] },
      },
      requires: { hipaaOrg: true },
      confirmed: { hipaaOrg: true },
      contract: { status: 'signed', ref: `BAA-${index}`, signedOn: '2026-01-15', expiresOn: '2027-01-31' },
      lastVerified: { date: '2026-06-01', by: 'privacy office' },
    },
  };
}

function egressPolicy(namespace: string, index: number): RawObject {
  return {
    apiVersion: 'lazaret.dev/v1alpha1',
    kind: 'EgressPolicy',
    metadata: { namespace, name: 'own', uid: `uid-${namespace}`, resourceVersion: String(index) },
    spec: {
      agreements: ['agreement-0', `agreement-${index % 20}`],
      destinations: ['packages.example.org'],
      denyModels: [`model-${index}`],
      maxIdentifiers: index + 1,
      dates: 'whole',
    },
  };
}
