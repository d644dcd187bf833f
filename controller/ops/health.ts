import { createServer } from 'node:http';
import { answerHealth, HEALTH_BOUNDS, type HealthSources } from '#contract/health-door.ts';
import { listenOn, type Place } from './listen.ts';

/** The door, open. */
export interface HealthDoor {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Opens the health door (contract/health-door.ts). @throws when the address cannot be had */
export async function serveHealth(place: Place, sources: HealthSources): Promise<HealthDoor> {
  const server = createServer(HEALTH_BOUNDS, (request, response) => {
    void answerHealth(request, sources).then(({ status, headers, body }) =>
      response.writeHead(status, headers).end(body),
    );
  });
  const port = await listenOn(server, place);
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port, close };
}
