import { describe, expect, it } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { parseInitConfig } from '#sidecar/init/config.ts';
import { parseResolvConf } from '#sidecar/init/resolv-conf.ts';

const LEAST = { LAZARET_UID: '20000', LAZARET_GID: '59999', LAZARET_CONSTRAINTS: 'api.openai.com, Anthropic.com.' };

describe('settings of lazaret-init', () => {
  it('are complete with a uid, a gid and name constraints', () => {
    expect(parseInitConfig(LEAST)).toEqual({
      ok: true,
      config: {
        owner: { uid: 20_000, gid: 59_999 },
        authorityDir: '/run/lazaret/ca',
        trustDir: '/run/lazaret/trust',
        constraints: ['api.openai.com', 'anthropic.com'],
        resolvers: undefined,
        udpAllowed: [],
        extraRoots: undefined,
        settingsDir: '/run/lazaret/settings',
        settingsFiles: undefined,
      },
    });
  });

  it.each([
    ['a uid that people have', { LAZARET_UID: '1000' }, 'LAZARET_UID'],
    ['root', { LAZARET_UID: '0' }, 'LAZARET_UID'],
    ['a gid outside the range', { LAZARET_GID: '64646' }, 'LAZARET_GID'],
    ['a whole top-level domain', { LAZARET_CONSTRAINTS: 'com' }, 'LAZARET_CONSTRAINTS'],
    ['a wildcard constraint', { LAZARET_CONSTRAINTS: '*.openai.com' }, 'LAZARET_CONSTRAINTS'],
    ['no constraint', { LAZARET_CONSTRAINTS: ' , ' }, 'LAZARET_CONSTRAINTS'],
    ['a resolver by name', { LAZARET_RESOLVERS: 'dns.example' }, 'LAZARET_RESOLVERS'],
    ['rules in an address', { LAZARET_UDP_ALLOWED: '10.0.0.1:1 accept;' }, 'LAZARET_UDP_ALLOWED'],
    ['a relative directory', { LAZARET_CA_DIR: 'ca' }, 'LAZARET_CA_DIR'],
    ['files that are no JSON', { LAZARET_FILES: 'recipients.jwks' }, 'LAZARET_FILES'],
    ['a list of files', { LAZARET_FILES: '["recipients.jwks"]' }, 'LAZARET_FILES'],
    ['a file that is no text', { LAZARET_FILES: '{"recipients.jwks":{}}' }, 'LAZARET_FILES'],
    ['a file of another name', { LAZARET_FILES: '{"bundle.jws":""}' }, 'LAZARET_FILES'],
    ['a file outside its directory', { LAZARET_FILES: '{"../ca/leaf.key":""}' }, 'LAZARET_FILES'],
    ['too much text', { LAZARET_FILES: JSON.stringify({ 'recipients.jwks': 'x'.repeat(130_000) }) }, 'LAZARET_FILES'],
    ['a line break in a directory', { LAZARET_TRUST_DIR: '/run/a\n/b' }, 'LAZARET_TRUST_DIR'],
  ])('are refused with %s, by the name of the variable', (_case, change, variable) => {
    const parsed = parseInitConfig({ ...LEAST, ...change });
    expect(parsed.ok ? [] : parsed.faults).toEqual([expect.stringMatching(new RegExp(`^${variable} .*must`))]);
  });

  it('report all their faults at once', () => {
    const parsed = parseInitConfig({ LAZARET_UID: '1', LAZARET_CONSTRAINTS: 'com' });
    expect(parsed.ok ? [] : parsed.faults.map((fault) => fault.split(' ')[0])).toEqual([
      'LAZARET_UID',
      'LAZARET_GID',
      'LAZARET_CONSTRAINTS',
    ]);
  });

  it('need no uid where clients are told an explicit proxy', () => {
    const parsed = parseInitConfig({ LAZARET_PROXY_MODE: 'on', LAZARET_CONSTRAINTS: 'openai.com' });
    expect(parsed.ok && parsed.config.owner).toBeNull();
  });

  it('refuse more name constraints than a certificate may carry', () => {
    const names = Array.from({ length: 500 }, (_, index) => `host-${index}.example.com`).join(',');
    expect(names.length).toBeGreaterThan(LIMIT.nameConstraintBytes);
    expect(parseInitConfig({ ...LEAST, LAZARET_CONSTRAINTS: names }).ok).toBe(false);
  });
});

describe('resolv.conf', () => {
  it('gives its first three resolvers and ignores everything else', () => {
    const text =
      '# nameserver 9.9.9.9\nsearch phi.svc\nnameserver 10.96.0.10\nnameserver\tfd00::a\n nameserver 1.1.1.1\nnameserver fe80::1%eth0\nnameserver 8.8.8.8\n';
    expect(parseResolvConf(text)).toEqual([
      { family: 4, address: '10.96.0.10', port: 53 },
      { family: 6, address: 'fd00::a', port: 53 },
    ]);
  });
});
