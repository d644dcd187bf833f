import { CompactSign, compactVerify, importJWK } from 'jose';
import type { Logger } from 'pino';
import {
  type Expected,
  EXPECTED_PATH,
  expectedAnswerSchema,
  expectedSchema,
  jwksSchema,
  MANIFEST_PATH,
  manifestAnswerSchema,
  manifestSchema,
  readStatement,
} from '#contract/chain-protocol.ts';
import { parseJson, SIGNED_TYPE } from '#contract/chain-signature.ts';
import { LIMIT } from '#contract/limit.ts';
import type { ClusterView, SigningKeys } from '../ports.ts';
import { RoundFault, type Rounds, startRounds, wordsOf } from '../rounds.ts';
import { ChainRegister } from './chain-register.ts';
import type { CollectorRequest } from './collector-client.ts';
import type { RegisterMetrics } from './register-metrics.ts';

/** What the register stands on. */
export interface RegisterOptions {
  readonly view: ClusterView;
  readonly keys: () => SigningKeys | null;
  /** JWK Set of the public keys that verify the list: the current one and those before and after it. */
  readonly jwks: () => string | null;
  readonly collector: CollectorRequest;
  /** How long evidence of an ended pod is kept, ms. */
  readonly retentionMs: number;
  readonly metrics: RegisterMetrics;
  readonly log: Logger;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** Between two writings; default `LIMIT.expectedMs`. */
  readonly periodMs?: number;
}

/**
 * Keeps the list of chains that must exist at the collector, signed by the controller's key, and writes it each minute. For the
 * leader alone. Nothing is written before the last list was read: a restart must not make the collector forget what it should hold.
 */
export function startRegister(options: RegisterOptions): Pick<Rounds, 'close' | 'settled'> {
  const { metrics, log, periodMs } = options;
  const keeper = new RegisterKeeper(options);
  const rounds = startRounds({
    round: () => keeper.write(),
    gapMs: periodMs ?? LIMIT.policyRefreshMs,
    retryMs: periodMs ?? LIMIT.expectedRetryMs,
    onFault: (fault, lasting) => {
      metrics.faults.inc();
      // A collector that is not up yet is waited for; one that answers what it should not is told of at once.
      log[lasting || fault instanceof RoundFault ? 'warn' : 'debug'](
        { event: 'register_fault', why: wordsOf(fault) },
        'the list of chains was not written: it is tried again',
      );
    },
  });
  return {
    settled: () => rounds.settled(),
    close: () => {
      keeper.close();
      rounds.close();
    },
  };
}

/** The register, looked at whenever pods change: one that comes and goes within a minute must stand in the list too. */
class RegisterKeeper {
  readonly #options: RegisterOptions;
  readonly #register: ChainRegister;
  readonly #stop: () => void;
  #resumed = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #look: NodeJS.Timeout | undefined;

  constructor(options: RegisterOptions) {
    this.#options = options;
    this.#register = new ChainRegister(options.retentionMs);
    this.#stop = options.view.onChange((change) => {
      if (change === 'pods') this.#lookSoon();
    });
  }

  close(): void {
    this.#stop();
    clearTimeout(this.#look);
  }

  /** @returns ms until the next writing; @throws when the collector does not answer or takes nothing */
  async write(): Promise<number> {
    const { view, keys, now, metrics, log, periodMs } = this.#options;
    if (!view.synced() || keys() === null) return LIMIT.expectedRetryMs;
    if (!this.#resumed) await resume(this.#options, this.#register);
    this.#resumed = true;
    // Room first: what is kept no longer must not cost a pod its place.
    this.#register.prune(now());
    this.#observe();
    await advance(this.#options, this.#register);
    await put(this.#options, this.#register.write(now()));
    metrics.chains.set(this.#register.size);
    metrics.written.set(now() / 1_000);
    // Again for as long as a pod finds no place: what rises is to be mended, what was is over.
    const refused = this.#register.takeRefused();
    metrics.refused.inc(refused);
    if (refused > 0)
      log.error(
        { event: 'register_full' },
        'the register of chains is full: shorten how long evidence is kept, or use more releases',
      );
    return periodMs ?? LIMIT.expectedMs;
  }

  #lookSoon(): void {
    const wait = Math.max(this.#lookedAt + LIMIT.podLookMs - performance.now(), 0);
    this.#look ??= setTimeout(() => this.#observe(), wait).unref();
  }

  #observe(): void {
    clearTimeout(this.#look);
    this.#look = undefined;
    this.#lookedAt = performance.now();
    const { view, now } = this.#options;
    if (view.synced()) this.#register.observe(view.pods(), now());
  }
}

async function resume(options: RegisterOptions, register: ChainRegister): Promise<void> {
  const { expected } = await get(options, EXPECTED_PATH, expectedAnswerSchema);
  if (expected === null) return;
  const read = readStatement(expected, SIGNED_TYPE.expected, expectedSchema);
  if (read === null)
    throw new RoundFault('the list that the collector keeps cannot be read: look at expected.jws in its store');
  // A list under a key that we no longer have is taken all the same: it can only add chains to look for, and to drop it would
  // forget those that the keys before stood for.
  if (!(await isOurs(options, expected)))
    options.log.error(
      { event: 'register_not_signed' },
      'the list of chains at the collector is not signed by a key of this release: compare it with a backup',
    );
  register.resume(read.claim);
}

async function isOurs({ jwks }: RegisterOptions, jws: string): Promise<boolean> {
  const set = jwksSchema.safeParse(parseJson(jwks() ?? ''));
  for (const { kty, crv, x, y } of set.success ? set.data.keys : []) {
    const key = await importJWK({ kty, crv, x, y }, 'ES256');
    const verified = await compactVerify(jws, key, { algorithms: ['ES256'] }).catch(() => null);
    if (verified !== null) return true;
  }
  return false;
}

/** How far chains go is the collector's own word over its own connection; its signature would add nothing to that. */
async function advance(options: RegisterOptions, register: ChainRegister): Promise<void> {
  const { manifest } = await get(options, MANIFEST_PATH, manifestAnswerSchema);
  if (manifest === null) return;
  const read = readStatement(manifest, SIGNED_TYPE.manifest, manifestSchema);
  if (read === null)
    throw new RoundFault('the manifest of the collector cannot be read: look at manifest.jws in its store');
  register.advance(read.claim);
}

async function put({ collector, keys, jwks }: RegisterOptions, expected: Expected): Promise<void> {
  const signing = keys();
  if (signing === null) throw new RoundFault('the signing keys are not there');
  const jws = await new CompactSign(Buffer.from(JSON.stringify(expected)))
    .setProtectedHeader({ alg: 'ES256', typ: SIGNED_TYPE.expected, kid: signing.currentKid })
    .sign(signing.current);
  const set = jwksSchema.safeParse(parseJson(jwks() ?? ''));
  const body = JSON.stringify({ expected: jws, ...(set.success ? { jwks: set.data } : {}) });
  const { status } = await collector({ method: 'PUT', path: EXPECTED_PATH, body });
  if (status !== 200) throw new RoundFault(`the collector answered the list with ${status}${WHY[status] ?? ''}`);
}

const WHY: Readonly<Record<number, string>> = {
  401: ': it does not take our token',
  403: ': it does not know us as the controller, check LAZARET_CONTROLLER there',
  409: ': it has a later one, check the clocks',
  413: ': the list is too large',
};

interface Schema<T> {
  safeParse(value: unknown): { readonly success: true; readonly data: T } | { readonly success: false };
}

async function get<T>({ collector }: RegisterOptions, path: string, schema: Schema<T>): Promise<T> {
  const { status, body } = await collector({ method: 'GET', path });
  if (status !== 200) throw new RoundFault(`the collector answered ${path} with ${status}${WHY[status] ?? ''}`);
  const parsed = schema.safeParse(parseJson(body));
  if (!parsed.success) throw new RoundFault(`the collector's answer to ${path} cannot be read`);
  return parsed.data;
}
