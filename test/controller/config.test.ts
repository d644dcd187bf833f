import { describe, expect, it } from 'vitest';
import { parseConfig } from '#controller/config.ts';

const NEEDED = { LAZARET_NAMESPACE: 'lazaret', LAZARET_FULLNAME: 'lazaret', LAZARET_POD_NAME: 'a' };

describe('the settings of the controller', () => {
  it('need no more than where the release is', () => {
    const parsed = parseConfig(NEEDED);
    expect(parsed.ok && parsed.config).toMatchObject({
      LAZARET_CERTS: 'selfManaged',
      LAZARET_WEBHOOK_LISTEN: { host: '::', port: 8_443 },
      LAZARET_BUNDLE_LISTEN: { host: '::', port: 8_444 },
      LAZARET_OPS: { host: '::', port: 9_090 },
      LAZARET_SERVING_NAMES: [],
      kubeconfig: undefined,
    });
  });

  it('report all faults together, by name and without the value', () => {
    const parsed = parseConfig({
      ...NEEDED,
      LAZARET_FULLNAME: 'Not A Name',
      LAZARET_OPS: 'secret',
      LAZARET_CERTS: 'x',
    });
    expect(parsed.ok ? [] : parsed.faults.map((fault) => fault.split(':')[0])).toEqual([
      'LAZARET_FULLNAME',
      'LAZARET_CERTS',
      'LAZARET_OPS',
    ]);
    expect(JSON.stringify(parsed)).not.toContain('secret');
  });
});
