import { isStatus, type KubeApi } from '../cluster/api.ts';
import { textMapOf } from '../cluster/resource-store.ts';
import { nullIfMissing } from '../leader.ts';
import type { RawObject } from '../ports.ts';
import {
  type AuthorityState,
  beginAuthority,
  formatAuthority,
  isUsable,
  parseAuthority,
  turnAuthority,
} from './authority-state.ts';

/** Where the authority is kept, and who turns it. */
export interface AuthorityTerms {
  readonly namespace: string;
  /** Of the Secret. */
  readonly name: string;
  readonly isLeader: () => boolean;
  readonly now: () => number;
}

/** The release's authority as this replica knows it. */
export interface AuthoritySource {
  /** Null until it could be read. */
  readonly state: () => AuthorityState | null;
  /**
   * Reads the Secret. The leader makes it when there is none, turns it when that is due, and puts it back when somebody
   * broke it. Every write is on the condition that nobody wrote since, so that two replicas never sign under two roots.
   * @throws ApiError when the API server does not answer
   */
  readonly step: () => Promise<void>;
}

/** Keeps the authority of the Secret in memory. */
export function createAuthoritySource(terms: AuthorityTerms, api: KubeApi): AuthoritySource {
  const path = `/api/v1/namespaces/${terms.namespace}/secrets`;
  const one = `${path}/${terms.name}`;
  let known: AuthorityState | null = null;
  const create = async (): Promise<void> => {
    const state = known ?? (await beginAuthority(terms.now()));
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: { name: terms.name, namespace: terms.namespace },
      data: formatAuthority(state),
    };
    await api.call({ method: 'POST', path, body });
    known = state;
  };
  const update = async (secret: RawObject, state: AuthorityState): Promise<void> => {
    await api.call({ method: 'PUT', path: one, body: { ...secret, data: formatAuthority(state) } });
    known = state;
  };
  const step = async (): Promise<void> => {
    const secret = await api.call({ method: 'GET', path: one }).catch(nullIfMissing);
    const found = secret === null ? null : parseAuthority(textMapOf(secret, 'data'));
    if (found !== null) known = found;
    if (!terms.isLeader()) return;
    if (secret === null) return create();
    const sound = found ?? known;
    if (sound === null || !isUsable(sound, terms.now())) return update(secret, await beginAuthority(terms.now()));
    const turned = await turnAuthority(sound, terms.now());
    if (turned !== found) await update(secret, turned);
  };
  return {
    state: () => known,
    // A conflict means that another replica was first: the next step reads what it wrote.
    step: () =>
      step().catch((fault: unknown) => {
        if (!isStatus(fault, 409)) throw fault;
      }),
  };
}
