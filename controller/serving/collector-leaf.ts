import { LIMIT } from '#contract/limit.ts';
import { isStatus, type KubeApi } from '../cluster/api.ts';
import { textMapOf } from '../cluster/resource-store.ts';
import { nullIfMissing } from '../leader.ts';
import type { RawObject } from '../ports.ts';
import { type AuthorityState, chainTail, trustBundle } from './authority-state.ts';
import { type CertifiedKey, issueLeaf } from './certificate.ts';
import { chainsTo, endOf, isPair, readCertificates } from './chain-check.ts';

/** Whose leaf is kept in which Secret. */
export interface CollectorLeafTerms {
  readonly namespace: string;
  /** Of the Secret. */
  readonly name: string;
  readonly names: readonly string[];
  readonly owner: () => Promise<RawObject | null>;
}

/**
 * Keeps the Secret with the collector's serving certificate: made when there is none, made anew at half of its time, under
 * another authority, or when somebody broke it. The collector mounts it and has no right of its own.
 * @returns the end of the certificate that is there now, ms
 * @throws ApiError when the API server does not answer
 */
export async function keepCollectorLeaf(
  terms: CollectorLeafTerms,
  api: KubeApi,
  authority: AuthorityState,
  now: number,
): Promise<number> {
  const path = `/api/v1/namespaces/${terms.namespace}/secrets`;
  const secret = await api.call({ method: 'GET', path: `${path}/${terms.name}` }).catch(nullIfMissing);
  const text = (name: string): string =>
    Buffer.from((secret === null ? undefined : textMapOf(secret, 'data')[name]) ?? '', 'base64').toString('utf8');
  const certificate = text('tls.crt');
  const pair = { certificate, key: text('tls.key') };
  if (text('ca.crt') === trustBundle(authority) && isGood(pair, terms.names, authority, now)) return endOf(certificate);
  const leaf = await issueLeaf(authority.current, { names: terms.names, now, lifetimeMs: LIMIT.collectorLeafMs });
  const files = {
    'tls.crt': `${leaf.certificate}${chainTail(authority, now)}`,
    'tls.key': leaf.key,
    'ca.crt': trustBundle(authority),
  };
  const data = Object.fromEntries(
    Object.entries(files).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  );
  await (secret === null
    ? api.call({ method: 'POST', path, body: await newSecret(terms, data) })
    : api.call({ method: 'PUT', path: `${path}/${terms.name}`, body: { ...secret, data } })
  ).catch((fault: unknown) => {
    if (!isStatus(fault, 409)) throw fault;
  });
  return endOf(leaf.certificate);
}

function isGood(pair: CertifiedKey, names: readonly string[], authority: AuthorityState, now: number): boolean {
  const { certificate } = authority.current;
  if (!chainsTo(pair.certificate, certificate, now + LIMIT.collectorLeafMs / 2) || !isPair(pair)) return false;
  const [leaf] = readCertificates(pair.certificate);
  const said = leaf?.subjectAltName?.split(', ') ?? [];
  return names.every((name) => said.includes(`DNS:${name}`));
}

async function newSecret(terms: CollectorLeafTerms, data: RawObject): Promise<RawObject> {
  const owner = await terms.owner();
  const { name, namespace } = terms;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name, namespace, ...(owner === null ? {} : { ownerReferences: [owner] }) },
    data,
  };
}
