import { request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { LIMIT } from '#contract/limit.ts';
import { UsageError } from './io.ts';

/** One answer of the API server. */
export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

/** Asks the API server, GET only: nothing that `lazaret doctor` does changes a cluster. */
export interface ReadOnlyApi {
  /** @throws UsageError when there is no answer */
  get(path: string, accept?: string): Promise<ApiAnswer>;
}

/**
 * The API server of the current context of KUBECONFIG or `~/.kube/config`, or of the pod that this runs in. Programs that a
 * kubeconfig names to make credentials are started, as kubectl does.
 * @throws UsageError when there is none
 */
export function openApi(): ReadOnlyApi {
  const config = new KubeConfig();
  try {
    config.loadFromDefault();
  } catch {
    throw new UsageError('the kubeconfig cannot be used: name one in KUBECONFIG');
  }
  const server = config.getCurrentCluster()?.server;
  if (server === undefined || !server.startsWith('https://'))
    throw new UsageError(
      'there is no cluster to look at: name a kubeconfig in KUBECONFIG, with a current context and an https server',
    );
  return { get: (path, accept = 'application/json') => ask(config, new URL(server.replace(/\/$/, '') + path), accept) };
}

async function ask(config: KubeConfig, url: URL, accept: string): Promise<ApiAnswer> {
  const headers: Record<string, string> = { accept };
  const options: RequestOptions = {
    method: 'GET',
    headers,
    signal: AbortSignal.timeout(LIMIT.doctorAnswerMs),
  };
  try {
    await config.applyToHTTPSOptions(options);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request(url, options, resolve).on('error', reject).end();
    const response = await promise;
    return { status: response.statusCode ?? 0, text: await readBounded(response) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
    throw new UsageError(`the API server does not answer${code}: see that kubectl works with the same kubeconfig`);
  }
}

async function readBounded(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const piece = chunk as Buffer;
    bytes += piece.length;
    if (bytes > LIMIT.doctorAnswerBytes) throw new Error('the answer is too long');
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString('utf8');
}
