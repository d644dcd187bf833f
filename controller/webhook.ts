import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LIMIT } from '#contract/limit.ts';
import { denyBody, type ReviewedAdmission } from './admission/review.ts';
import { listenOn, type Place } from './ops/listen.ts';
import type { ServingCertificate } from './serving/serving-source.ts';
import { type Answered, type AnswerPorts, answerReview, WEBHOOK_PATHS, type WebhookPath } from './webhook-answer.ts';

/** What the webhook's server needs. */
export interface WebhookPorts extends AnswerPorts {
  /** Whether there is something to decide by. */
  readonly ready: () => boolean;
  /** Waits until new settings are in use, so long at most. */
  readonly adopted: (mostMs: number) => Promise<void>;
  /** Called once for each answered review. @param seconds from the complete body to the answer */
  readonly onAnswer: (path: WebhookPath, answered: Answered, seconds: number) => void;
  /** Called for a request that got no decision: a status and nothing of its content. */
  readonly onRefusal: (status: number) => void;
}

/** A webhook that listens. */
export interface Webhook {
  readonly port: number;
  /** Shows another certificate to connections from now on; open ones stay. */
  readonly setCertificate: (certificate: ServingCertificate) => void;
  /** From now on each answer ends its connection, so that a caller who keeps one asks another replica next time. */
  readonly retire: () => void;
  /** Answers what is in work, then stops. */
  readonly drain: () => Promise<void>;
}

const TLS = { minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] } as const;

/**
 * Serves the webhooks over HTTP/1.1 with TLS. One HTTP/2 connection would bind an API server to one replica, and closing
 * it at a stop would fail reviews that are on their way. Until there is a certificate, handshakes fail.
 * @throws when the address cannot be had
 */
export async function serveWebhook(place: Place, ports: WebhookPorts): Promise<Webhook> {
  let retired = false;
  const server = createServer(
    {
      ...TLS,
      keepAliveTimeout: LIMIT.keepAliveMs,
      headersTimeout: LIMIT.admissionRequestMs,
      requestTimeout: LIMIT.admissionRequestMs,
      maxHeaderSize: LIMIT.headerBytes,
      handshakeTimeout: LIMIT.handshakeMs,
    },
    (request, response) => {
      if (retired) response.setHeader('connection', 'close');
      handle(request, response, ports).catch(() => {
        ports.onRefusal(500);
        if (response.headersSent) response.destroy();
        else send(response, 500, { message: 'lazaret: the controller failed; nothing was decided' });
      });
    },
  );
  server.maxConnections = LIMIT.admissionConnections;
  server.on('tlsClientError', () => ports.onRefusal(0));
  const port = await listenOn(server, place);
  return {
    port,
    setCertificate: ({ chain, key }) => server.setSecureContext({ minVersion: TLS.minVersion, cert: chain, key }),
    retire: () => {
      retired = true;
    },
    drain: () => closeServer(server),
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), LIMIT.webhookDrainMs);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    server.closeIdleConnections();
  });
}

async function handle(request: IncomingMessage, response: ServerResponse, ports: WebhookPorts): Promise<void> {
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const webhook = WEBHOOK_PATHS.find((known) => known === path);
  if (webhook === undefined) return refuse(response, 404, `only ${WEBHOOK_PATHS.join(', ')} are served here`, ports);
  if (request.method !== 'POST') return refuse(response, 405, 'a review comes by POST', ports);
  const body = await readBody(request);
  if (body === null) {
    response.setHeader('connection', 'close');
    return sendReview(response, 413, denyBody(413, `it is longer than ${LIMIT.admissionBytes} bytes.`));
  }
  const startedAt = performance.now();
  const review = parseJson(body);
  if (review === undefined) return sendReview(response, 400, denyBody(400, 'it is not JSON.'));
  // Who changes the release and then restarts pods expects them to have what was changed: keys that evidence is sealed to, above all.
  if (webhook === '/mutate') await ports.adopted(patienceOf(query) / 2);
  // The API server then does what failurePolicy says, which for pods in scope is a denial.
  const answered = ports.ready() ? await answerReview(webhook, review, ports) : null;
  if (answered === null) {
    response.setHeader('retry-after', '1');
    return refuse(response, 503, 'the controller has not read the cluster and its keys yet', ports);
  }
  sendReview(response, 200, answered.reviewed);
  ports.onAnswer(webhook, answered, (performance.now() - startedAt) / 1_000);
}

/** How long the API server waits for the answer, which it says in the query. @returns ms */
function patienceOf(query: string): number {
  return 1_000 * Number(/(?:^|&)timeout=(\d{1,3})s(?:&|$)/.exec(query)?.[1] ?? 0);
}

/** @returns null for a body that is longer than the bound; the rest of it is not read */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  if (Number(request.headers['content-length'] ?? 0) > LIMIT.admissionBytes) return null;
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > LIMIT.admissionBytes) return null;
    parts.push(part);
  }
  return parts.length === 1 ? (parts[0] ?? null) : Buffer.concat(parts);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function refuse(response: ServerResponse, status: number, message: string, ports: WebhookPorts): void {
  ports.onRefusal(status);
  send(response, status, { message: `lazaret: ${message}` });
}

function sendReview(response: ServerResponse, status: number, { review }: ReviewedAdmission): void {
  send(response, status, review);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text);
}
