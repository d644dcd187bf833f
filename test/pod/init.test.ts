import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InitEnd } from './init-stage.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'init-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

interface Case {
  /** Shell text that stands for `nft`; the real one is `$NFT`. */
  readonly nft?: string;
  readonly words?: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
  readonly env?: NodeJS.ProcessEnv;
}

async function runInit({ nft, words = [], settings = {}, env = {} }: Case): Promise<InitEnd> {
  const substitutes = join(dir, 'bin');
  mkdirSync(substitutes);
  if (nft !== undefined)
    writeFileSync(join(substitutes, 'nft'), `#!/bin/sh\nNFT=/usr/sbin/nft\n${nft}\n`, { mode: 0o755 });
  const namespaces = ['--mount', '--net', '--pid', '--mount-proc', '--fork', '--kill-child=SIGKILL', '--'];
  const stage = [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'init-stage.ts')];
  const told = [dir, nft === undefined ? '' : substitutes, JSON.stringify(words), JSON.stringify(settings)];
  const { stdout } = await promisify(execFile)('unshare', [...namespaces, ...stage, ...told], {
    env: { ...process.env, ...env },
  });
  return JSON.parse(stdout) as InitEnd;
}

const capabilities = (...kept: readonly string[]): readonly string[] => {
  const set = ['-all', ...kept.map((name) => `+${name}`)].join(',');
  return ['setpriv', `--bounding-set=${set}`, '--inh-caps=-all', '--'];
};

const REFUSED = { status: 1, stdout: '' };

describe('lazaret-init', () => {
  it('gives the key files to the sidecar alone', async () => {
    const end = await runInit({});
    expect(end).toMatchObject({ status: 0, stderr: '' });
    expect(end.files).toEqual({
      'complete.json': '444 0 0',
      'intermediate.key': '400 31313 42424',
      'intermediate.pem': '400 31313 42424',
      'leaf.key': '400 31313 42424',
    });
  });

  it('needs no capability but NET_ADMIN and CHOWN', async () => {
    expect(await runInit({ words: capabilities('net_admin', 'chown') })).toMatchObject({ status: 0, stderr: '' });
  });

  it('writes the files of its environment where the sidecar reads them and may add, and can do so again', async () => {
    const settings = { LAZARET_FILES: JSON.stringify({ 'recipients.jwks': '{"keys":[]}', 'release-ca.pem': 'PEM\n' }) };
    const written = { '.': '1770 0 42424', 'recipients.jwks': '444 0 0', 'release-ca.pem': '444 0 0' };
    const words = capabilities('net_admin', 'chown');
    expect(await runInit({ words, settings })).toMatchObject({ status: 0, stderr: '', settings: written });
    rmSync(join(dir, 'bin'), { recursive: true });
    expect(await runInit({ words, settings })).toMatchObject({ status: 0, stderr: '', settings: written });
    expect(readFileSync(join(dir, 'settings/release-ca.pem'), 'utf8')).toBe('PEM\n');
  });

  it('says so when it lacks NET_ADMIN', async () => {
    const end = await runInit({ words: capabilities('chown') });
    expect(end).toMatchObject({ ...REFUSED, stderr: expect.stringContaining('NET_ADMIN') });
  });

  it('says so when it lacks CHOWN', async () => {
    const end = await runInit({ words: capabilities('net_admin') });
    expect(end).toMatchObject({ ...REFUSED, stderr: expect.stringContaining('CHOWN') });
  });

  it.each([
    ['loaded nothing', 'cat > /dev/null', 'does not work for IPv4'],
    [
      'guards one family only',
      'sed "s/table inet/table ip/; s/icmpx port-unreachable/icmp port-unreachable/" | $NFT "$@"',
      'does not work for IPv6',
    ],
    ['lets UDP out', 'sed "s/l4proto udp counter reject.*/l4proto udp accept/" | $NFT "$@"', 'QUIC could pass'],
    ['sends TCP to another port', 'sed "s/:15001/:15002/" | $NFT "$@"', 'does not work for IPv4'],
    ['refuses a rule', 'sed "s/redirect to/redirected to/" | $NFT "$@"', 'nft said'],
    ['does not understand', 'exit 3', 'nft said: nothing'],
  ])('does not let a pod start whose packet filter %s', async (_case, nft, said) => {
    const end = await runInit({ nft });
    expect(end).toMatchObject({ ...REFUSED, stderr: expect.stringContaining(said) });
    expect(end.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('accepts a pod without an IPv6 route, and not one whose IPv6 is only unproven', async () => {
    const end = await runInit({ env: { LAZARET_TEST_NO_IPV6_ROUTE: 'yes' } });
    expect(end).toMatchObject({ status: 0, stderr: '' });
  });

  it.each([
    ['wrong settings', { LAZARET_UID: '0' }, 'LAZARET_UID must be 20000 to 59999'],
    [
      "operator's roots that are not there",
      { LAZARET_EXTRA_ROOTS: '/nowhere.pem' },
      'LAZARET_EXTRA_ROOTS cannot be read',
    ],
    ['files of unknown names', { LAZARET_FILES: '{"../x":""}' }, 'LAZARET_FILES must be a JSON object'],
    ['a directory that cannot be written', { LAZARET_TRUST_DIR: '/proc/lazaret' }, '/proc/lazaret'],
  ])('ends with one sentence on %s', async (_case, settings, said) => {
    const end = await runInit({ settings });
    expect(end).toMatchObject({ ...REFUSED, stderr: expect.stringContaining(said) });
    expect(end.stderr.trim().split('\n')).toHaveLength(1);
  });
});
