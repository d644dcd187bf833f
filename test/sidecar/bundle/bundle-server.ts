import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import type { IssuedCertificate } from '../../fake/test-authority.ts';

/** A request of a sidecar, to be answered in the test's own time. */
export interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A server of bundles that does nothing by itself: each request waits for the test. */
export class BundleServer {
  readonly #server: Server;
  readonly #asked: Asked[] = [];
  readonly #waiting: ((asked: Asked) => void)[] = [];
  readonly #sockets = new Set<Socket>();
  port = 0;
  /** TLS handshakes that a client finished. */
  handshakes = 0;

  constructor({ certificate, key }: IssuedCertificate) {
    this.#server = createServer({ cert: certificate, key }, (request, response) => {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#asked.push({ request, response });
      else waiting({ request, response });
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket.once('close', () => this.#sockets.delete(socket)));
    });
    this.#server.on('secureConnection', () => this.handshakes++);
    this.#server.on('tlsClientError', () => undefined);
  }

  async listen(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    const address = this.#server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** @returns the next request */
  next(): Promise<Asked> {
    const asked = this.#asked.shift();
    if (asked !== undefined) return Promise.resolve(asked);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Answers the next request. @returns it */
  async answer(status: number, body = '', headers: Readonly<Record<string, string>> = {}): Promise<IncomingMessage> {
    const { request, response } = await this.next();
    response.writeHead(status, headers).end(body);
    return request;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Every name is this machine. */
export const lookupLoopback: LookupFunction = (_name, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};
