import type { Socket } from 'node:net';
import { reset } from './farewell.ts';
import { Http2Follower } from './http2-follower.ts';
import { LineFollower } from './line-follower.ts';
import { RequestFollower } from './request-follower.ts';
import { watchSwitch } from './switch-watch.ts';

/** How the clear requests of a followed connection are judged. */
export interface Following {
  readonly protocol: 'h1' | 'h2' | 'line';
  readonly judge: ConstructorParameters<typeof RequestFollower>[0];
  /** A request that may not pass came. @returns whether to go on all the same (monitor mode) */
  readonly onRefused: () => boolean;
}

/**
 * Joins two connections: bytes, half-closes, back-pressure and resets pass from one to the other.
 * What the client sent before is still to be read from it.
 */
export function splice(client: Socket, upstream: Socket, following: Following | null): void {
  upstream.pipe(client);
  joinFromClient(client, upstream, following);
}

/** The direction to the server alone, for a server that was let speak first. */
export function joinFromClient(client: Socket, upstream: Socket, following: Following | null): void {
  if (following === null) client.pipe(upstream);
  else pipeFollowed(client, upstream, following);
}

/** Lets neither connection outlive a broken other one; one that ended in good order lets the other finish. */
export function tie(client: Socket, upstream: Socket): void {
  const follow = (one: Socket, other: Socket): void => {
    one.on('error', () => reset(other));
    one.on('close', () => {
      if (!one.readableEnded || !one.writableFinished) reset(other);
    });
  };
  follow(client, upstream);
  follow(upstream, client);
}

function pipeFollowed(client: Socket, upstream: Socket, following: Following): void {
  const upgradable = following.protocol === 'h1' ? new RequestFollower(following.judge) : null;
  let follower =
    upgradable ?? (following.protocol === 'line' ? new LineFollower() : new Http2Follower(following.judge));
  const switched = watchSwitch(upstream);
  const passOn = (rest: Buffer): void => {
    client.off('data', onData);
    client.off('end', onEnd);
    if (rest.length > 0) upstream.write(rest);
    client.pipe(upstream);
  };
  const onData = (chunk: Buffer): void => {
    const { forward, stop, rest } = follower.push(chunk);
    const roomy = forward.map((bytes) => upstream.write(bytes)).every(Boolean);
    if (stop === 'refused')
      return following.onRefused() ? passOn(follower.release()) : (reset(upstream), reset(client));
    if (stop === 'upgrade') {
      client.pause();
      return switched((agreed) => {
        if (agreed && upgradable?.upgrade?.includes('h2c') !== true) return passOn(rest);
        if (agreed) follower = new Http2Follower(following.judge);
        client.resume();
        if (rest.length > 0) onData(rest);
      });
    }
    if (!roomy) {
      client.pause();
      upstream.once('drain', () => client.resume());
    }
  };
  const onEnd = (): void => void upstream.end();
  client.on('data', onData).on('end', onEnd);
  if (client.readableEnded) onEnd();
  client.resume();
}
