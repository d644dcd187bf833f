import { createLocalJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Policy } from '#contract/policy.ts';
import type { Attribution } from '#contract/record.ts';
import type { Refusal } from '#contract/reason.ts';
import { singleField } from './header-fields.ts';
import type { InboundRequest } from './ports.ts';

/** The field by which an application names its user; it never goes upstream. */
const USER_FIELD = 'x-lazaret-user';
/** Asymmetric signatures only (RFC 8725 §3.1): with an HMAC every reader of policy could name any user. */
const ALGORITHMS = ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA'];
const CLOCK_TOLERANCE_S = 30;
const USER_LENGTH = 256;

/** Who asks, as far as the request's head tells. */
export interface RequestUser {
  readonly attribution: Extract<Attribution, 'jwt' | 'header' | 'workload'>;
  readonly id: string | null;
}

const keySets = new WeakMap<object, JWTVerifyGetKey>();

/**
 * Names the user behind a request: by a verified JWT where policy says how to verify one, else by the header. A token
 * that does not verify refuses: falling back to the header would let anybody who drops the signature choose a name.
 * @param now ms since the epoch
 */
export async function identifyUser(
  request: InboundRequest,
  policy: Policy | null,
  now: number,
): Promise<RequestUser | Refusal> {
  const jwt = policy?.userJwt ?? null;
  const token = jwt === null ? null : singleField(request.headers, jwt.header);
  if (jwt !== null && token !== null) return await verifyToken(jwt, typeof token === 'string' ? token : '', now);
  const named = singleField(request.headers, USER_FIELD);
  const user = typeof named === 'string' ? named.trim() : '';
  if (user === '' || user.length > USER_LENGTH) return { attribution: 'workload', id: null };
  return { attribution: 'header', id: user };
}

async function verifyToken(
  jwt: NonNullable<Policy['userJwt']>,
  token: string,
  now: number,
): Promise<RequestUser | Refusal> {
  const keys = keySets.get(jwt) ?? createLocalJWKSet({ keys: [...jwt.keys] });
  keySets.set(jwt, keys);
  try {
    const { payload } = await jwtVerify(token.replace(/^Bearer +/i, ''), keys, {
      issuer: jwt.issuer,
      audience: jwt.audience,
      algorithms: ALGORITHMS,
      currentDate: new Date(now),
      clockTolerance: CLOCK_TOLERANCE_S,
      requiredClaims: ['exp', jwt.claim],
    });
    const user = payload[jwt.claim];
    if (typeof user === 'string' && user !== '' && user.length <= USER_LENGTH) return { attribution: 'jwt', id: user };
    return { reason: 'user_required', where: 'the token names no user' };
  } catch (fault) {
    const expired = fault instanceof errors.JWTExpired;
    return { reason: 'user_required', where: expired ? 'the token has expired' : 'the token does not verify' };
  }
}
