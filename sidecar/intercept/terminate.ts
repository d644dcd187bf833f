import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { Host } from '#contract/brand.ts';
import { parseHost } from '#contract/host.ts';
import { LIMIT } from '#contract/limit.ts';
import type { ConnectionFault, DistrustSign } from './options.ts';

/** How a client's handshake with us ended. */
export type HandshakeOutcome =
  | { readonly state: 'established'; readonly socket: TLSSocket; readonly alpn: 'h2' | 'http/1.1' }
  | { readonly state: 'failed'; readonly fault: ConnectionFault; readonly sign: DistrustSign['sign'] | null };

/** How far a handshake is. */
interface Flight {
  /** Our certificate is on its way. */
  sent: boolean;
  /** The name is not the peeked one. */
  changed: boolean;
  /** Its time was over. */
  late: boolean;
}

const ALPN = ['h2', 'http/1.1'];

/**
 * Terminates TLS on a peeked connection whose ClientHello is still to be read.
 * @param host the peeked SNI; the name the TLS stack ends up with must be the same, because a second ClientHello after
 *   HelloRetryRequest may carry another one (RFC 8446 §4.1.2)
 */
export function terminateTls(raw: Socket, host: Host, context: SecureContext): Promise<HandshakeOutcome> {
  return new Promise((resolve) => {
    const flight: Flight = { sent: false, changed: false, late: false };
    const socket = new TLSSocket(raw, {
      isServer: true,
      secureContext: context,
      ALPNProtocols: ALPN,
      requestCert: false,
      rejectUnauthorized: false,
      SNICallback: (name, done) => {
        // Node asks once, at the first ClientHello: the check after the handshake is the one that holds for a second.
        flight.changed = parseHost(name) !== host;
        flight.sent = !flight.changed;
        done(flight.changed ? new Error('server name changed') : null, context);
      },
    });
    const timer = setTimeout(() => {
      flight.late = true;
      socket.destroy();
    }, LIMIT.handshakeMs);
    const settle = (outcome: HandshakeOutcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const fail = (error: NodeJS.ErrnoException | null): void => settle(failureOf(error, flight));
    socket.on('error', fail);
    socket.on('close', () => fail(null));
    socket.on('secure', () => {
      // A renegotiation could change the name after the check.
      socket.disableRenegotiation();
      if (finalNameOf(socket) !== host) {
        flight.changed = true;
        socket.destroy();
        return;
      }
      // What a listening tls.Server does at this point; the HTTP/2 session waits for it.
      Object.assign(socket, { secureConnecting: false });
      settle({ state: 'established', socket, alpn: socket.alpnProtocol === 'h2' ? 'h2' : 'http/1.1' });
    });
  });
}

/** The server name of the handshake as the TLS stack has it; false or absent when the client sent none. */
function finalNameOf(socket: TLSSocket): Host | null {
  const { servername } = socket as unknown as { readonly servername?: string | false };
  return typeof servername === 'string' ? parseHost(servername) : null;
}

function failureOf(error: NodeJS.ErrnoException | null, { sent, changed, late }: Flight): HandshakeOutcome {
  if (changed) return { state: 'failed', fault: 'name_changed', sign: null };
  // Late, it was we who closed: a client that is slow says nothing of our certificate.
  const sign = late ? null : signOf(error, sent);
  return { state: 'failed', fault: sign === null ? 'handshake_failed' : 'certificate_refused', sign };
}

/** Alerts 42, 46 and 48 speak of our certificate; Node, Java and others just close after it (RFC 8446 §6.2). */
function signOf(error: NodeJS.ErrnoException | null, sent: boolean): DistrustSign['sign'] | null {
  const code = error?.code ?? '';
  if (/ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNKNOWN_CA)$/.test(code)) return 'alert';
  const closed = error === null || code === 'ECONNRESET' || code === 'EPIPE';
  return closed && sent ? 'closed' : null;
}
