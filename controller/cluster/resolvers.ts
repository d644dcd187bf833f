import { isStatus } from './api.ts';
import { serviceAddresses } from './release-values.ts';
import type { WatchPorts } from './resource-watch.ts';

const DNS_SERVICE = '/api/v1/namespaces/kube-system/services/kube-dns';

/**
 * The addresses of the cluster's DNS Service, asked for until the API server answers.
 * @returns no address where there is no such Service or we may not see it: then the values must name resolvers
 */
export async function findResolvers(ports: WatchPorts, signal: AbortSignal): Promise<readonly string[]> {
  const backoff = ports.backoff();
  while (!signal.aborted) {
    try {
      return serviceAddresses(await ports.api.call({ method: 'GET', path: DNS_SERVICE }));
    } catch (fault) {
      ports.onFault(DNS_SERVICE, 'NO_RESOLVERS');
      if (isStatus(fault, 404) || isStatus(fault, 403)) return [];
      await backoff.wait(signal);
    }
  }
  return [];
}
