import type { Socket } from 'node:net';
import { reset } from './farewell.ts';
import type { Flow } from './flow.ts';
import type { InterceptOptions } from './options.ts';

/** A connection to the original destination, opened before the client has said anything, because the server may speak first. */
export interface EarlyDial {
  /** @returns the connection, whose bytes already flow to the client; null when it failed, which has reset the client */
  take(): Promise<Socket | null>;
  /** Whether the server has said anything. */
  spoke(): boolean;
  /** Gives it up. @returns `spoke` when the client has already been sent bytes of it */
  abandon(): 'spoke' | 'quiet';
}

/** Dials the address of a flow's destination and lets the server's bytes through at once. */
export function dialEarly(dial: InterceptOptions['dial'], flow: Flow): EarlyDial {
  const { destination, socket } = flow;
  let abandoned = false;
  let open: Socket | null = null;
  const dialled = (async (): Promise<Socket | null> => {
    const upstream =
      destination !== null && 'address' in destination
        ? await dial({ host: null, ...destination }).catch(() => null)
        : null;
    if (abandoned || socket.destroyed) {
      upstream?.destroy();
      return null;
    }
    if (upstream === null) {
      flow.fault = 'upstream_unreachable';
      flow.decision ??= { action: 'opaque', follow: false, check: 'private destination is passed' };
      reset(socket);
      return null;
    }
    open = upstream;
    upstream.on('error', () => abandoned || reset(socket));
    upstream.pipe(socket);
    return upstream;
  })();
  const spoke = (): boolean => open !== null && open.bytesRead > 0;
  return {
    take: () => dialled,
    spoke,
    abandon() {
      abandoned = true;
      const heard = spoke();
      open?.unpipe(socket);
      open?.destroy();
      return heard ? 'spoke' : 'quiet';
    },
  };
}
