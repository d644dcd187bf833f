import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeSettingsFiles } from '#sidecar/init/settings-files.ts';

const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'settings-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

it('the files are there for reading, in a directory that the group may write', async () => {
  await writeSettingsFiles(dir, { 'recipients.jwks': '{}', 'release-ca.pem': 'pem' }, owner);
  expect(readFileSync(join(dir, 'release-ca.pem'), 'utf8')).toBe('pem');
  expect(statSync(join(dir, 'recipients.jwks')).mode & 0o777).toBe(0o444);
  expect(statSync(dir).mode & 0o7777).toBe(0o1770);
});

it('a second run replaces them and leaves what the sidecar keeps there', async () => {
  await writeSettingsFiles(dir, { 'recipients.jwks': 'old' }, owner);
  writeFileSync(join(dir, 'bundle.jws'), 'kept');
  await writeSettingsFiles(dir, { 'recipients.jwks': 'new' }, owner);
  expect(readFileSync(join(dir, 'recipients.jwks'), 'utf8')).toBe('new');
  expect(readFileSync(join(dir, 'bundle.jws'), 'utf8')).toBe('kept');
});

it('a place that cannot be written ends in one sentence that names it', async () => {
  await expect(writeSettingsFiles('/proc/lazaret', { 'recipients.jwks': '' }, owner)).rejects.toThrow(
    /^lazaret-init cannot write \/proc\/lazaret \(\w+\): .+\.$/,
  );
});
