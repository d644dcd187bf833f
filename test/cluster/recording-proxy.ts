import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { PatchOperation } from '#controller/admission/json-patch.ts';

/** An AdmissionReview that asks. */
export interface Review {
  readonly request: { readonly object: unknown };
}

/** One call of the API server, and the webhook's answer. */
export interface RecordedReview {
  readonly path: string;
  readonly review: Review;
  /** What the API server showed, with its defaults. */
  readonly object: unknown;
  readonly allowed: boolean;
  readonly patch: readonly PatchOperation[];
}

/** Stands between the API server and a webhook, changes nothing and keeps what was said. */
export interface RecordingProxy {
  readonly port: number;
  readonly reviews: RecordedReview[];
  /** Asks the webhook itself. */
  readonly ask: (path: string, review: unknown) => Promise<RecordedReview>;
  readonly close: () => Promise<void>;
}

/** @param leaf what the proxy and the webhook serve with */
export async function startRecordingProxy(
  leaf: { readonly certificate: string; readonly key: string },
  webhookPort: number,
): Promise<RecordingProxy> {
  const reviews: RecordedReview[] = [];
  const pass = async (path: string, body: Buffer) => {
    const answer = await post(webhookPort, path, body);
    const said = answer.status === 200 ? recorded(path, body, answer.text) : null;
    return { answer, said };
  };
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { answer, said } = await pass(incoming.url ?? '/', await buffer(incoming));
    if (said !== null) reviews.push(said);
    outgoing.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.text);
  };
  const server = createServer({ cert: leaf.certificate, key: leaf.key }, (incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    reviews,
    ask: async (path, review) => {
      const { answer, said } = await pass(path, Buffer.from(JSON.stringify(review)));
      if (said === null) throw new Error(`the webhook answered ${answer.status}: ${answer.text}`);
      return said;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function recorded(path: string, body: Buffer, text: string): RecordedReview {
  const review = JSON.parse(body.toString()) as Review;
  const { response } = JSON.parse(text) as {
    readonly response: { readonly allowed: boolean; readonly patch?: string };
  };
  const { allowed, patch } = response;
  const operations = patch === undefined ? [] : JSON.parse(Buffer.from(patch, 'base64').toString('utf8'));
  return { path, review, object: review.request.object, allowed, patch: operations };
}

/** The webhook is this very machine: whose certificate it has is the business of other tests. */
function post(port: number, path: string, body: Buffer): Promise<{ readonly status: number; readonly text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly status: number; readonly text: string }>();
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const options = { method: 'POST', host: '127.0.0.1', port, path, headers, rejectUnauthorized: false };
  const sent = request(options, (answer) => {
    buffer(answer).then((bytes) => resolve({ status: answer.statusCode ?? 502, text: bytes.toString() }), reject);
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
}
