import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { LIMIT } from '#contract/limit.ts';
import type { AuthoritySource } from './authority-secret.ts';
import { chainTail, trustBundle } from './authority-state.ts';
import { issueLeaf } from './certificate.ts';
import { chainsTo, endOf } from './chain-check.ts';

/** What the controller shows to those who connect. */
export interface ServingCertificate {
  /** PEM, the leaf first. */
  readonly chain: string;
  /** PEM. */
  readonly key: string;
  /** PEM: the roots that pods and the API server are to trust. */
  readonly trust: string;
  /** End of the leaf, ms. */
  readonly endsAt: number;
}

/** Where the serving certificate comes from. */
export interface ServingSource {
  /** Null until there is one. */
  readonly serving: () => ServingCertificate | null;
  /** Looks whether another one is due. @throws when the files cannot be used */
  readonly step: () => Promise<void>;
}

/** Leaves of the release's own authority, a key for each replica, in memory: renewed after a third of their time. */
export function createOwnLeaf(names: readonly string[], authority: AuthoritySource, now: () => number): ServingSource {
  let leaf: { readonly certificate: string; readonly key: string } | null = null;
  let serving: ServingCertificate | null = null;
  const step = async (): Promise<void> => {
    const state = authority.state();
    if (state === null) return;
    const { certificate: root } = state.current;
    if (leaf === null || !chainsTo(leaf.certificate, root, now() + (LIMIT.leafMs * 2) / 3))
      leaf = await issueLeaf(state.current, { names, now: now(), lifetimeMs: LIMIT.leafMs });
    const { certificate, key } = leaf;
    const chain = `${certificate}${chainTail(state, now())}`;
    const trust = trustBundle(state);
    if (serving?.chain === chain && serving.trust === trust) return;
    serving = { chain, key, trust, endsAt: endOf(certificate) };
  };
  return { serving: () => serving, step };
}

/** A certificate that somebody else renews in files: read again and again, and taken only when its parts belong together. */
export function createFileLeaf(dir: string): ServingSource {
  let serving: ServingCertificate | null = null;
  const step = async (): Promise<void> => {
    const [chain, key, trust] = await Promise.all(
      ['tls.crt', 'tls.key', 'ca.crt'].map((name) => readFile(`${dir}/${name}`, 'utf8')),
    );
    if (chain === undefined || key === undefined || trust === undefined) return;
    if (serving?.chain === chain && serving.key === key && serving.trust === trust) return;
    // A file that is replaced while we read is read again at the next step.
    createSecureContext({ cert: chain, key });
    if (trust.trim() !== '') void new X509Certificate(trust);
    serving = { chain, key, trust, endsAt: endOf(chain) };
  };
  return { serving: () => serving, step };
}
