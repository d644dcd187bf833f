import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, type Dispatcher } from 'undici';
import { z } from 'zod';
import { parseJson } from '#contract/chain-signature.ts';
import { TOKEN_AUDIENCE } from '#contract/labels.ts';
import { LIMIT } from '#contract/limit.ts';

/** Asks whom a token belongs to. @returns a TokenReview's status as the API server gave it. @throws when it did not answer */
export type ReviewToken = (token: string) => Promise<unknown>;

/** Where the API server is, and the folder with the collector's own `token` and `ca.crt`. */
export interface ReviewerOptions {
  readonly apiServer: string;
  readonly accountDir: string;
  /** Ms; only grows. */
  readonly now: () => number;
}

const PATH = '/apis/authentication.k8s.io/v1/tokenreviews';
const answerSchema = z.looseObject({ status: z.looseObject({ authenticated: z.boolean().optional() }) });

/** The API server did not say whose a token is: the caller is to come again, and is never refused for it. */
export class ReviewUnavailable extends Error {
  override readonly name = 'ReviewUnavailable';
}

/** Reviews tokens at the API server under the collector's own account. Good answers are remembered for a short time, refusals never. */
export class TokenReviewer {
  readonly #options: ReviewerOptions;
  readonly #good = new Map<string, { readonly status: unknown; readonly until: number }>();
  #agent: { readonly ca: string; readonly agent: Agent } | null = null;

  constructor(options: ReviewerOptions) {
    this.#options = options;
  }

  /** @throws ReviewUnavailable when the API server did not answer in time, or not as it does */
  async review(token: string): Promise<unknown> {
    // Only a digest is kept: a token in a core dump or heap snapshot would still be worth something.
    const id = hash('sha256', token);
    const known = this.#good.get(id);
    if (known !== undefined && known.until > this.#options.now()) return known.status;
    this.#good.delete(id);
    const status = await this.#ask(token).catch(() => {
      throw new ReviewUnavailable('the API server did not review a token');
    });
    if (status.authenticated === true) this.#remember(id, status);
    return status;
  }

  async close(): Promise<void> {
    await this.#agent?.agent.destroy();
  }

  #remember(id: string, status: unknown): void {
    const oldest = this.#good.keys().next().value;
    if (this.#good.size >= LIMIT.podProofs && oldest !== undefined) this.#good.delete(oldest);
    this.#good.set(id, { status, until: this.#options.now() + LIMIT.podProofMs });
  }

  async #ask(token: string): Promise<{ readonly authenticated?: boolean | undefined }> {
    const { apiServer, accountDir } = this.#options;
    // Both files are replaced while we run: tokens each hour, the authority when the cluster's is rotated.
    const [own, ca] = await Promise.all([
      readFile(join(accountDir, 'token'), 'utf8'),
      readFile(join(accountDir, 'ca.crt'), 'utf8'),
    ]);
    const response = await this.#agentFor(ca).request({
      origin: new URL(apiServer).origin,
      path: PATH,
      method: 'POST',
      headers: {
        authorization: `Bearer ${own.trim()}`,
        'content-type': 'application/json',
        accept: 'application/json',
      },
      body: JSON.stringify({
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences: [TOKEN_AUDIENCE] },
      }),
      signal: AbortSignal.timeout(LIMIT.tokenReviewMs),
    });
    const text = await readBounded(response);
    if (response.statusCode !== 200 && response.statusCode !== 201)
      throw new ReviewUnavailable('the API server answered with a fault');
    return answerSchema.parse(parseJson(text)).status;
  }

  #agentFor(ca: string): Agent {
    if (this.#agent?.ca === ca) return this.#agent.agent;
    void this.#agent?.agent.close();
    const agent = new Agent({
      connect: { ca, timeout: LIMIT.tokenReviewMs },
      connections: LIMIT.collectorEnrolments,
    });
    this.#agent = { ca, agent };
    return agent;
  }
}

async function readBounded(response: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    const piece = chunk as Buffer;
    bytes += piece.length;
    if (bytes > LIMIT.tokenReviewBytes) throw new ReviewUnavailable('the API server answered at too great a length');
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString('utf8');
}
