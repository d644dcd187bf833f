import { Resolver } from 'node:dns/promises';
import type { Host } from '#contract/brand.ts';
import { LIMIT } from '#contract/limit.ts';
import type { Endpoint } from '../config.ts';

/** @returns addresses of a name, at least one. Rejects when the resolvers have none. */
export type Resolve = (host: Host) => Promise<readonly string[]>;

interface Answer {
  readonly until: number;
  readonly addresses: Promise<readonly string[]>;
}

/**
 * Resolves through the configured resolvers only: never through files (`/etc/hosts`), which the application can write.
 * Answers are kept for at most 30 s, and a lookup in progress is shared.
 * @param now milliseconds
 */
export function createResolve(resolvers: readonly Endpoint[], now: () => number): Resolve {
  const resolver = new Resolver({ timeout: 2_000, tries: 3 });
  resolver.setServers(
    resolvers.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)),
  );
  const answers = new Map<Host, Answer>();
  return async (host) => {
    const known = answers.get(host);
    if (known !== undefined && known.until > now()) return await known.addresses;
    const addresses = lookUp(resolver, host);
    answers.delete(host);
    answers.set(host, { until: now() + LIMIT.dnsCacheMs, addresses });
    if (answers.size > LIMIT.dnsNames) for (const oldest of answers.keys()) if (answers.delete(oldest)) break;
    addresses.catch(() => answers.delete(host));
    return await addresses;
  };
}

async function lookUp(resolver: Resolver, host: Host): Promise<readonly string[]> {
  const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const addresses = [
    ...(four.status === 'fulfilled' ? four.value : []),
    ...(six.status === 'fulfilled' ? six.value : []),
  ];
  if (addresses.length > 0) return addresses;
  throw four.status === 'rejected' ? four.reason : new Error('no address');
}
