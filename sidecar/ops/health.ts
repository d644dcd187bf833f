import { createServer, type Server } from 'node:http';
import { answerHealth, HEALTH_BOUNDS, type HealthSources } from '#contract/health-door.ts';
import type { Endpoint } from '../config.ts';

/** Opens the health door (contract/health-door.ts). @throws when the address cannot be had */
export async function serveHealth(endpoint: Endpoint, sources: HealthSources): Promise<Server> {
  const server = createServer(HEALTH_BOUNDS, (request, response) => {
    void answerHealth(request, sources).then(({ status, headers, body }) =>
      response.writeHead(status, headers).end(body),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(endpoint.port, endpoint.host, resolve);
  });
  return server;
}
