import { LIMIT } from '#contract/limit.ts';
import { type CertifiedKey, crossSign, makeAuthority } from './certificate.ts';
import { chainsTo, endOf, isPair, readCertificates } from './chain-check.ts';

/**
 * The authority of a release in its turns. A new one is announced first: every caBundle and every new pod trusts both.
 * Then it signs, and the old root stays trusted until the last leaf under it has ended. Pods that were given only the old
 * root verify by the cross certificate.
 */
export interface AuthorityState {
  readonly current: CertifiedKey;
  /** Announced, not signing yet; `since` in ms. */
  readonly next: (CertifiedKey & { readonly since: number }) | null;
  /** The current authority certified by the one before, PEM. */
  readonly cross: string | null;
  /** Trusted still, until a moment in ms. */
  readonly previous: { readonly certificate: string; readonly until: number } | null;
}

/** The first state of a release. */
export async function beginAuthority(now: number): Promise<AuthorityState> {
  return { current: await makeAuthority(now), next: null, cross: null, previous: null };
}

/** One turn of the authority, when its time has come. @returns the same state when nothing is due */
export async function turnAuthority(state: AuthorityState, now: number): Promise<AuthorityState> {
  const { current, next, previous } = state;
  if (next !== null && now - next.since >= LIMIT.authorityAnnounceMs) {
    const { certificate, key } = next;
    return {
      current: { certificate, key },
      next: null,
      cross: await crossSign(next, current),
      previous: { certificate: current.certificate, until: now + LIMIT.authorityRetireMs },
    };
  }
  if (previous !== null && now >= previous.until) return { ...state, previous: null };
  const [root] = readCertificates(current.certificate);
  const age = root === undefined ? LIMIT.authorityMs : now - root.validFromDate.getTime();
  if (next === null && age >= LIMIT.authorityRenewMs)
    return { ...state, next: { ...(await makeAuthority(now)), since: now } };
  return state;
}

/** PEM: every root that is to be trusted now, the signing one first. */
export function trustBundle({ current, next, previous }: AuthorityState): string {
  return [current.certificate, next?.certificate ?? '', previous?.certificate ?? ''].join('');
}

/** PEM: what stands below a leaf in a served chain. */
export function chainTail({ cross }: AuthorityState, now: number): string {
  return cross === null || now >= endOf(cross) ? '' : cross;
}

type SecretData = Readonly<Record<string, string>>;

/** The Secret's data, base64. `ca.crt` and `ca.key` read as everywhere; the rest is only a rotation's. */
export function formatAuthority(state: AuthorityState): SecretData {
  const { current, next, cross, previous } = state;
  const data = {
    'ca.crt': trustBundle(state),
    'ca.key': current.key,
    'next.key': next?.key ?? '',
    'cross.crt': cross ?? '',
    'rotation.json': JSON.stringify({
      ...(next === null ? {} : { nextSince: next.since }),
      ...(previous === null ? {} : { previousUntil: previous.until }),
    }),
  };
  return Object.fromEntries(Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString('base64')]));
}

/** @returns null when the data is not what `formatAuthority` writes: the key does not belong to the first root, or a part is missing */
export function parseAuthority(data: SecretData): AuthorityState | null {
  const text = (name: string): string => Buffer.from(data[name] ?? '', 'base64').toString('utf8');
  try {
    const roots = readCertificates(text('ca.crt')).map((certificate) => certificate.toString());
    const rotation: unknown = JSON.parse(text('rotation.json') || '{}');
    const since = numberOf(rotation, 'nextSince');
    const until = numberOf(rotation, 'previousUntil');
    const [certificate, second, third] = roots;
    const previous = since === null ? second : third;
    if (certificate === undefined || !isPair({ certificate, key: text('ca.key') })) return null;
    if (since !== null && (second === undefined || !isPair({ certificate: second, key: text('next.key') })))
      return null;
    return {
      current: { certificate, key: text('ca.key') },
      next: since === null || second === undefined ? null : { certificate: second, key: text('next.key'), since },
      cross: text('cross.crt') || null,
      previous: until === null || previous === undefined ? null : { certificate: previous, until },
    };
  } catch {
    return null;
  }
}

/** Whether a state can sign at all: one that has ended cannot be waited for. */
export function isUsable(state: AuthorityState, now: number): boolean {
  return chainsTo(state.current.certificate, state.current.certificate, now);
}

function numberOf(value: unknown, name: string): number | null {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : null;
  return typeof found === 'number' && Number.isFinite(found) ? found : null;
}
