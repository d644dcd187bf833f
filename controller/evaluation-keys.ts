import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { KEY_WRAP } from '#contract/seal.ts';
import { isStatus, type KubeApi } from './cluster/api.ts';
import { textMapOf } from './cluster/resource-store.ts';
import { nullIfMissing } from './leader.ts';
import type { KeyTerms } from './release-keys.ts';

/** Audit keys of an evaluation, made in the cluster: whoever reads the Secret reads the evidence, so it is for trying out only. */
export interface EvaluationKeys {
  /** The public JWK Set, null until it could be read. */
  readonly recipients: () => string | null;
  /** Reads the Secret; the leader makes it when there is none, and nobody ever writes over it. @throws ApiError */
  readonly step: () => Promise<void>;
}

/** Its three keys are the files of `lazaret keys init`. */
export function createEvaluationKeys(terms: Omit<KeyTerms, 'now'>, api: KubeApi): EvaluationKeys {
  const path = `/api/v1/namespaces/${terms.namespace}/secrets`;
  let recipients: string | null = null;
  const step = async (): Promise<void> => {
    if (recipients !== null) return;
    const secret = await api.call({ method: 'GET', path: `${path}/${terms.name}` }).catch(nullIfMissing);
    const found = secret === null ? undefined : textMapOf(secret, 'data')['recipients.public.jwks'];
    if (found !== undefined) recipients = Buffer.from(found, 'base64').toString('utf8');
    if (secret !== null || !terms.mayCreate()) return;
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: { name: terms.name, namespace: terms.namespace },
      stringData: await makeFiles(),
    };
    await api.call({ method: 'POST', path, body }).catch((fault: unknown) => {
      if (!isStatus(fault, 409)) throw fault;
    });
    // Read back at the next step, whoever made it.
  };
  return { recipients: () => recipients, step };
}

async function makeFiles(): Promise<Readonly<Record<string, string>>> {
  const [auditor, escrow] = await Promise.all([makePair('auditor'), makePair('escrow')]);
  return {
    'auditor.private.jwk': `${JSON.stringify(auditor.private)}\n`,
    'escrow.private.jwk': `${JSON.stringify(escrow.private)}\n`,
    'recipients.public.jwks': `${JSON.stringify({ keys: [auditor.public, escrow.public] }, null, 2)}\n`,
  };
}

async function makePair(role: 'auditor' | 'escrow'): Promise<{ readonly private: JWK; readonly public: JWK }> {
  const pair = await generateKeyPair(KEY_WRAP.alg, { crv: 'P-256', extractable: true });
  const { kty = '', crv = '', x = '', y = '', d = '' } = await exportJWK(pair.privateKey);
  const kid = `${role}-${(await calculateJwkThumbprint({ kty, crv, x, y })).slice(0, 16)}`;
  const shared = { kty, crv, x, y, kid, alg: KEY_WRAP.alg, use: 'enc' };
  return { private: { ...shared, d }, public: shared };
}
