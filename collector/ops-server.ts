import { createServer, type Server } from 'node:http';

/** What the ops port shows. */
export interface OpsOptions {
  /** The metrics as text, and their content type. */
  readonly metrics: () => Promise<string>;
  readonly contentType: string;
  readonly ready: () => boolean;
}

/** Serves GET /metrics, /healthz and /readyz, and nothing else. */
export function createOpsServer({ metrics, contentType, ready }: OpsOptions): Server {
  return createServer(
    { requestTimeout: 5_000, headersTimeout: 5_000, keepAliveTimeout: 5_000, maxHeaderSize: 8_192 },
    (request, response) => {
      const answer = (status: number, type: string, body: string): void => {
        response
          .writeHead(status, {
            'content-type': type,
            'content-length': Buffer.byteLength(body),
            'cache-control': 'no-store',
          })
          .end(body);
      };
      if (request.method !== 'GET') return answer(405, 'text/plain', 'only GET\n');
      if (request.url === '/healthz') return answer(200, 'text/plain', 'ok\n');
      if (request.url === '/readyz')
        return ready() ? answer(200, 'text/plain', 'ok\n') : answer(503, 'text/plain', 'stopping\n');
      if (request.url !== '/metrics') return answer(404, 'text/plain', 'only /metrics, /healthz and /readyz\n');
      metrics().then(
        (text) => answer(200, contentType, text),
        () => answer(500, 'text/plain', 'metrics failed\n'),
      );
    },
  );
}
