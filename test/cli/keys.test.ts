import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keys, keysInit } from '#cli/keys.ts';
import { parseRecipients } from '#sidecar/audit/recipients.ts';
import { folder, terminal } from '#test/sidecar/audit/rig.ts';

test('keys init makes two private keys that only the owner reads, and a public set that the sidecar takes', async () => {
  const dir = join(folder(), 'keys');
  const io = terminal();
  expect(await keys(['init', '--out', dir], io)).toBe(0);
  for (const name of ['auditor.private.jwk', 'escrow.private.jwk']) {
    expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(join(dir, name), 'utf8'))).toMatchObject({
      kty: 'EC',
      crv: 'P-256',
      d: expect.any(String) as string,
    });
  }
  const set = readFileSync(join(dir, 'recipients.public.jwks'), 'utf8');
  expect(set).not.toContain('"d"');
  expect(parseRecipients(set).map(({ kid }) => kid.split('-')[0])).toEqual(['auditor', 'escrow']);
  expect(io.out.join('')).not.toContain(
    (JSON.parse(readFileSync(join(dir, 'auditor.private.jwk'), 'utf8')) as { readonly d: string }).d,
  );
});

test.each(['auditor.private.jwk', 'escrow.private.jwk', 'recipients.public.jwks'])(
  'keys init never writes over %s',
  async (name) => {
    const dir = folder();
    const io = terminal();
    await io.writeFile(join(dir, name), 'precious', 0o600);
    await expect(keysInit(['--out', dir], io)).rejects.toThrow(`already holds ${name}`);
    expect(readFileSync(join(dir, name), 'utf8')).toBe('precious');
  },
);

test('keys without init, or init without --out, says what it takes', async () => {
  await expect(keys(['make'], terminal())).rejects.toThrow('takes init or rotate');
  await expect(keys(['init'], terminal())).rejects.toThrow('--out is required');
  const io = terminal();
  expect(await keys(['--help'], io)).toBe(0);
  expect(io.out.join('')).toContain('escrow.private.jwk');
});
