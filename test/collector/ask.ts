import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';

/** What is asked of a collector. */
export interface Question {
  readonly method: string;
  readonly path: string;
  readonly bearer?: string;
  readonly body?: string;
}

/** Asks a collector on loopback over TLS. @returns the status and the body as JSON */
export function ask(
  to: { readonly port: number; readonly ca: string },
  { method, path, bearer, body }: Question,
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: Record<string, unknown> }>();
  const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
  const read = async (response: IncomingMessage): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> });
  };
  const sending = request(
    { ...to, host: '127.0.0.1', method, path, headers, agent: false },
    (response) => void read(response).catch(reject),
  );
  sending.on('error', reject);
  sending.end(body);
  return promise;
}
