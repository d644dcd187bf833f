import { readFile } from 'node:fs/promises';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { parseHost } from '#contract/host.ts';
import type { Resolve } from './resolve.ts';

const DEFAULT_DOMAIN = 'cluster.local';

/**
 * Looks names of the release's own services up by our resolvers. They are written short (`NAME.NAMESPACE.svc`), and the system's
 * way to complete them needs the pod's search list, which a pod with `dnsPolicy: Default` lacks, and reads /etc/hosts, which
 * the application can write.
 * @param domain the cluster's, as `readClusterDomain` gives it
 */
export function createServiceLookup(resolve: Resolve, domain: string): LookupFunction {
  return (name, options, callback) => {
    lookUp(resolve, name.endsWith('.svc') ? `${name}.${domain}` : name).then(
      (addresses) => {
        const found = addresses.map((address) => ({ address, family: isIP(address) }));
        if (options.all === true) return callback(null, found);
        const [first] = found;
        return callback(first === undefined ? noAddress() : null, first?.address ?? '', first?.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : noAddress(), ''),
    );
  };
}

async function lookUp(resolve: Resolve, name: string): Promise<readonly string[]> {
  const host = parseHost(name);
  if (host === null) throw noAddress();
  return await resolve(host);
}

function noAddress(): NodeJS.ErrnoException {
  return Object.assign(new Error('no address'), { code: 'ENOTFOUND' });
}

/** @returns the cluster's domain by the pod's search list (`svc.DOMAIN`), or the usual one; a wrong one finds no server, no wrong one */
export async function readClusterDomain(file = '/etc/resolv.conf'): Promise<string> {
  const text = await readFile(file, 'latin1').catch(() => '');
  const search = text.split('\n').findLast((line) => /^search\s/.test(line)) ?? '';
  const services = search.split(/\s+/).find((word) => word.startsWith('svc.'));
  const domain = parseHost(services?.slice('svc.'.length) ?? '');
  return domain ?? DEFAULT_DOMAIN;
}
