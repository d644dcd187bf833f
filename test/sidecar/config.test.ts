import { describe, expect, it } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { parseConfig } from '#sidecar/config.ts';

const GOOD = {
  LAZARET_BUNDLE: '/b',
  LAZARET_BUNDLE_KEY: '/k',
  LAZARET_CA_DIR: '/ca',
  LAZARET_RECIPIENTS: '/r',
  LAZARET_SPOOL: '/s',
  LAZARET_COLLECTOR: 'https://collector.example:8443',
  LAZARET_ENROL_TOKEN: '/t',
  LAZARET_RESOLVERS: '10.0.0.10, [fd00::10]:5353',
  LAZARET_POD_NAMESPACE: 'phi',
  LAZARET_POD_NAME: 'app-0',
  LAZARET_POD_UID: 'u',
  LAZARET_CHAIN: 'chain-0001',
};

describe('parseConfig', () => {
  it('reads addresses of both families, with and without a port', () => {
    const parsed = parseConfig(GOOD);
    expect(parsed.ok && parsed.config.LAZARET_RESOLVERS).toEqual([
      { host: '10.0.0.10', port: 53 },
      { host: 'fd00::10', port: 5353 },
    ]);
  });

  it('listens on loopback only unless told otherwise', () => {
    const parsed = parseConfig(GOOD);
    expect(parsed.ok && parsed.config.LAZARET_LISTEN.map(({ host }) => host)).toEqual(['127.0.0.1', '::1']);
  });

  it('takes a smaller spool than the product’s own, and no larger one', () => {
    const spool = (bytes: number) => parseConfig({ ...GOOD, LAZARET_SPOOL_BYTES: String(bytes) });
    const small = spool(LIMIT.segmentBytes);
    expect(small.ok && small.config.LAZARET_SPOOL_BYTES).toBe(LIMIT.segmentBytes);
    expect([spool(LIMIT.segmentBytes - 1).ok, spool(LIMIT.spoolBytes + 1).ok]).toEqual([false, false]);
  });

  it('reports all faults at once, by variable, never by value', () => {
    const parsed = parseConfig({
      ...GOOD,
      LAZARET_BUNDLE: '',
      LAZARET_COLLECTOR: 'ftp://secret-host',
      LAZARET_CHAIN: 'no',
    });
    expect(parsed.ok).toBe(false);
    const faults = parsed.ok ? '' : parsed.faults.join('\n');
    expect(faults).toContain('LAZARET_BUNDLE');
    expect(faults).toContain('LAZARET_COLLECTOR');
    expect(faults).toContain('LAZARET_CHAIN');
    expect(faults).not.toContain('secret-host');
  });

  it('what is not ours is ignored: an empty or foreign variable is no fault', () => {
    expect(parseConfig({ ...GOOD, PATH: '/bin', LAZARET_NODE: '' }).ok).toBe(true);
  });

  it('takes a server of bundles with roots of its own, by TLS', () => {
    const url = { LAZARET_BUNDLE_URL: 'https://lazaret-controller.lazaret.svc:8444' };
    const faultsOf = (change: Readonly<Record<string, string>>): readonly string[] => {
      const parsed = parseConfig({ ...GOOD, ...change });
      return parsed.ok ? [] : parsed.faults;
    };
    expect(faultsOf({ ...url, LAZARET_BUNDLE_CA: '/release-ca.pem' })).toEqual([]);
    expect(faultsOf(url)).toEqual([expect.stringMatching(/^LAZARET_BUNDLE_CA: must name a file/)]);
    expect(faultsOf({ LAZARET_BUNDLE_URL: 'http://plain', LAZARET_BUNDLE_CA: '/ca' })).toHaveLength(1);
  });
});
