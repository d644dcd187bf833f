import { createServer } from 'node:http';
import { listenOn, type Place } from './listen.ts';

/** What the health door asks. */
export interface HealthSources {
  /** Metrics in Prometheus' text format. */
  readonly metrics: () => Promise<string>;
  readonly metricsType: string;
  /** Names of what keeps the replica from deciding; empty when it is ready. */
  readonly unready: () => readonly string[];
}

/** The door, open. */
export interface HealthDoor {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Serves GET /metrics, /healthz and /readyz, and nothing else. */
export async function serveHealth(place: Place, sources: HealthSources): Promise<HealthDoor> {
  const server = createServer(
    { keepAliveTimeout: 5_000, requestTimeout: 5_000, headersTimeout: 5_000, maxHeaderSize: 8_192 },
    (request, response) => {
      const answer = (status: number, type: string, body: string): void => {
        response
          .writeHead(status, {
            'content-type': type,
            'cache-control': 'no-store',
            'content-length': Buffer.byteLength(body),
          })
          .end(body);
      };
      if (request.method !== 'GET') return answer(405, 'text/plain', 'only GET\n');
      if (request.url === '/healthz') return answer(200, 'text/plain', 'ok\n');
      if (request.url === '/readyz') {
        const missing = sources.unready();
        const ready = missing.length === 0;
        return answer(ready ? 200 : 503, 'text/plain', ready ? 'ok\n' : `waiting for: ${missing.join(', ')}\n`);
      }
      if (request.url !== '/metrics') return answer(404, 'text/plain', 'only /metrics, /healthz and /readyz\n');
      sources.metrics().then(
        (text) => answer(200, sources.metricsType, text),
        () => answer(500, 'text/plain', 'metrics failed\n'),
      );
    },
  );
  const port = await listenOn(server, place);
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port, close };
}
