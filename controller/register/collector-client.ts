import { request as httpsRequest } from 'node:https';
import { LIMIT } from '#contract/limit.ts';

/**
 * One request to the collector as the controller. Every HTTP status is an answer.
 * @throws when the collector does not answer in time or says more than `LIMIT.collectorAnswerBytes`
 */
export type CollectorRequest = (request: {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly body?: string;
}) => Promise<{ readonly status: number; readonly body: string }>;

/** How the collector is reached. */
export interface CollectorTerms {
  /** `https://HOST:PORT` */
  readonly url: string;
  /** The authorities that may vouch for it, PEM; asked for at each request, because they rotate. */
  readonly ca: () => string;
  /** The controller's token of audience `TOKEN_AUDIENCE`; asked for at each request, because it rotates. */
  readonly token: () => Promise<string>;
}

/** Speaks HTTPS with the collector; the certificate must be for the name in the URL. */
export function createCollectorClient({ url, ca, token }: CollectorTerms): CollectorRequest {
  return async ({ method, path, body }) => {
    const bearer = (await token()).trim();
    const target = new URL(path, url);
    return new Promise((resolve, reject) => {
      const bytes = body === undefined ? null : Buffer.from(body);
      const request = httpsRequest(
        target,
        {
          method,
          ca: ca(),
          minVersion: 'TLSv1.2',
          signal: AbortSignal.timeout(LIMIT.collectorAnswerMs),
          headers: {
            authorization: `Bearer ${bearer}`,
            ...(bytes === null ? {} : { 'content-type': 'application/json', 'content-length': bytes.length }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on('data', (chunk: Buffer) => {
            size += chunk.length;
            if (size <= LIMIT.collectorAnswerBytes) chunks.push(chunk);
            else request.destroy(new Error('the collector says more than is read'));
          });
          response.on('error', reject);
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
          );
        },
      );
      request.on('error', reject);
      request.end(bytes ?? undefined);
    });
  };
}
