import {
  expectedSchema,
  jwksSchema,
  type PublicJwks,
  putExpectedSchema,
  readStatement,
} from '#contract/chain-protocol.ts';
import { parseJson, SIGNED_TYPE, thumbprint, verifyingKey, verifySigned } from '#contract/chain-signature.ts';
import type { EvidenceStore } from '../store/evidence-store.ts';
import type { ProveController } from './prove-pod.ts';
import type { Answer } from './receive.ts';

/** What the controller alone may ask for and put. */
export interface Registry {
  /** Whether a bearer is the controller: asked before its body is read, which may be long. @throws when nobody could be asked */
  admit: ProveController;
  /** Takes the signed list of the chains that must exist. */
  put(body: string): Promise<Answer>;
  /** The list as it was last put. */
  expected(): Promise<Answer>;
  /** How far each chain goes, signed by the collector. */
  manifest(): Promise<Answer>;
}

/** @returns the door for the controller's list; every answer but a refusal is to the controller alone */
export function createRegistry(store: EvidenceStore, prove: ProveController): Registry {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    admit: prove,
    put(body) {
      // One after the other: two leaders may overlap for a moment, and the older list must not come last.
      const done = turn.then(() => putExpected(store, body));
      turn = done.catch(() => undefined);
      return done;
    },
    expected: async () => ok({ expected: store.expected.jws }),
    manifest: async () => ok({ manifest: await store.manifest() }),
  };
}

async function putExpected(store: EvidenceStore, body: string): Promise<Answer> {
  const parsed = putExpectedSchema.safeParse(parseJson(body));
  if (!parsed.success) return refuse(400, 'unreadable_statement');
  const read = readStatement(parsed.data.expected, SIGNED_TYPE.expected, expectedSchema);
  if (read === null) return refuse(400, 'unreadable_statement');
  const keys = usableKeys(parsed.data.jwks ?? store.controllerKeys);
  const jwk = keys.keys.find(({ kid }) => kid === read.signed.kid);
  const key = jwk === undefined ? null : verifyingKey(jwk);
  if (key === null) return refuse(400, 'unknown_key');
  if (!verifySigned(read.signed, key)) return refuse(400, 'bad_signature');
  // A list that was recorded and put again would take chains back.
  if (store.expected.issuedAt !== null && read.claim.iat < store.expected.issuedAt) return refuse(409, 'older_list');
  if (parsed.data.jwks !== undefined) await store.trustController(keys);
  await store.expected.put(parsed.data.expected, read.claim);
  return ok({ chains: read.claim.chains.length });
}

/** Keys whose id is their own thumbprint, so that none takes the place of another, and which sign these lists only. */
function usableKeys(jwks: PublicJwks): PublicJwks {
  const own = jwks.keys.filter((jwk) => thumbprint(jwk) === jwk.kid);
  return jwksSchema.parse({
    keys: own.map(({ kty, crv, x, y, kid }) => ({
      kty,
      crv,
      x,
      y,
      kid,
      alg: 'ES256',
      use: 'sig',
      signs: [SIGNED_TYPE.expected],
    })),
  });
}

function ok(body: Answer['body']): Answer {
  return { status: 200, body, finding: null };
}

function refuse(status: 400 | 409, error: string): Answer {
  return { status, body: { error }, finding: null };
}
