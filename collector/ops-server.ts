import { createServer, type Server } from 'node:http';
import { answerHealth, HEALTH_BOUNDS, type HealthSources } from '#contract/health-door.ts';

/** Makes the server of the health door (contract/health-door.ts). */
export function createOpsServer(sources: HealthSources): Server {
  return createServer(HEALTH_BOUNDS, (request, response) => {
    void answerHealth(request, sources).then(({ status, headers, body }) =>
      response.writeHead(status, headers).end(body),
    );
  });
}
