import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';

export interface KubeAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Acts as another user. */
  readonly as?: string;
  readonly groups?: readonly string[];
}

/** Speaks JSON to a real API server with the rights of the kubeconfig. */
export class KubeClient {
  readonly #agent: Agent;
  readonly #server: URL;

  constructor(kubeconfig: string) {
    const config = parse(readFileSync(kubeconfig, 'utf8'));
    const decode = (text: string) => Buffer.from(text, 'base64');
    const { cluster } = config.clusters[0];
    const { user } = config.users[0];
    this.#server = new URL(cluster.server);
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 8,
      ca: decode(cluster['certificate-authority-data']),
      cert: decode(user['client-certificate-data']),
      key: decode(user['client-key-data']),
    });
  }

  /** Every HTTP status is an answer. */
  async call({ method, path, body, contentType, as, groups }: KubeRequest): Promise<KubeAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<KubeAnswer>();
    const url = new URL(path, this.#server);
    const headers = {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
      ...(as === undefined ? {} : { 'impersonate-user': as }),
      ...(groups === undefined ? {} : { 'impersonate-group': [...groups] }),
    };
    const sent = request(url, { method, agent: this.#agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, body: readBody(text) });
      });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }

  close(): void {
    this.#agent.destroy();
  }
}

function readBody(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text };
  }
}

export function messageOf({ body }: KubeAnswer): string {
  return typeof body.message === 'string' ? body.message : '';
}
