import { get } from 'node:http';

const ANSWER_MS = 2_000;

/** One answer of a program's metrics and health port. */
export interface OpsAnswer {
  readonly status: number;
  readonly body: string;
}

/** Asks a program's metrics and health port. @returns null when it does not answer */
export function getOps(host: string, port: number, path: string): Promise<OpsAnswer | null> {
  return new Promise((resolve) => {
    const request = get({ host, port, path, agent: false, timeout: ANSWER_MS }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }),
      );
      response.once('error', () => resolve(null));
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(null));
  });
}
