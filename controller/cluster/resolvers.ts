import { LIMIT } from '#contract/limit.ts';
import { isStatus } from './api.ts';
import { serviceAddresses } from './release-values.ts';
import type { WatchPorts } from './resource-watch.ts';

const DNS_SERVICE = '/api/v1/namespaces/kube-system/services/kube-dns';

/** What the search needs of the world. */
export interface ResolverPorts extends Pick<WatchPorts, 'api' | 'backoff' | 'onFault'> {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Tells the addresses of the cluster's DNS Service, asked for until the API server answers; none where there is no such
 * Service yet or we may not see it. Then the values must name resolvers, or the Service must come.
 */
export async function followResolvers(
  tell: (addresses: readonly string[]) => void,
  ports: ResolverPorts,
  signal: AbortSignal,
): Promise<void> {
  const backoff = ports.backoff();
  while (!signal.aborted) {
    try {
      const found = serviceAddresses(await ports.api.call({ method: 'GET', path: DNS_SERVICE }));
      tell(found);
      if (found.length > 0) return;
      await ports.sleep(LIMIT.resolversMs, signal);
    } catch (fault) {
      ports.onFault(DNS_SERVICE, 'NO_RESOLVERS');
      const absent = isStatus(fault, 404) || isStatus(fault, 403);
      if (absent) tell([]);
      await (absent ? ports.sleep(LIMIT.resolversMs, signal) : backoff.wait(signal));
    }
  }
}
