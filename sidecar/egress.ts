import { readFile } from 'node:fs/promises';
import type { SidecarConfig } from './config.ts';
import type { InterceptOptions } from './intercept/options.ts';
import { createDial } from './upstream/dial.ts';
import { createForwarder, type Forwarder } from './upstream/forward.ts';
import { createResolve } from './upstream/resolve.ts';

/** The ways out of the pod: for exchanges, and for connections that are passed on. */
export interface Egress {
  readonly forwarder: Forwarder;
  readonly resolve: InterceptOptions['resolve'];
  readonly dial: InterceptOptions['dial'];
}

/** Opens the ways out: directly, or where the operator has a proxy, through it. */
export async function createEgress(config: SidecarConfig): Promise<Egress> {
  const roots = config.LAZARET_UPSTREAM_CA;
  const extraRoots = roots === undefined ? {} : { extraRoots: await readFile(roots, 'utf8') };
  const resolve = createResolve(config.LAZARET_RESOLVERS, Date.now);
  const dialDirect = createDial();
  if (config.LAZARET_EGRESS_PROXY === undefined) {
    const forwarder = createForwarder({ resolve, ...extraRoots });
    return {
      forwarder,
      resolve,
      dial: async ({ address, port }) => await dialDirect({ host: address, address, port }),
    };
  }
  const dial = createDial(new URL(config.LAZARET_EGRESS_PROXY));
  return {
    forwarder: createForwarder({ resolve, proxyDial: dial, ...extraRoots }),
    // The proxy resolves the names that it is asked for; inside there may be no answer for them.
    resolve: (host) => Promise.resolve([host]),
    // What has only an address is on the cluster's side, where no proxy leads.
    dial: async ({ host, address, port }) =>
      await (host === null ? dialDirect({ host: address, address, port }) : dial({ host, address, port })),
  };
}
