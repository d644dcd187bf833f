import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authorityPaths, trustPaths } from '#contract/pod-paths.ts';
import { makePodAuthority } from '#sidecar/init/pod-authority.ts';
import {
  hasCompleteAuthority,
  readExtraRoots,
  writeAuthorityFiles,
  writeTrustFiles,
} from '#sidecar/init/trust-files.ts';

const NAMES = ['anthropic.com'];
const authority = await makePodAuthority(NAMES, Date.now());
const corporate = (await makePodAuthority(NAMES, Date.now())).rootCertificate;
const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
let dir = '';

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'trust-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

function certificates(file: string): readonly string[] {
  const blocks = readFileSync(file, 'utf8').match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
  return blocks.map((pem) => new X509Certificate(pem).fingerprint256);
}

const fingerprint = (pem: string): string => new X509Certificate(pem).fingerprint256;

describe('trust files', () => {
  it("hold the public roots, the operator's and the pod root where a setting replaces a client's roots", async () => {
    const paths = trustPaths(dir);
    await writeTrustFiles(paths, authority.rootCertificate, [corporate], Date.now());
    const expected = [
      ...rootCertificates.map(fingerprint),
      fingerprint(corporate),
      fingerprint(authority.rootCertificate),
    ];
    expect(certificates(paths.allRoots)).toEqual(expected);
  });

  it("hold only the operator's and the pod root where a setting adds", async () => {
    const paths = trustPaths(dir);
    await writeTrustFiles(paths, authority.rootCertificate, [corporate], Date.now());
    expect(certificates(paths.addedRoots)).toEqual([fingerprint(corporate), fingerprint(authority.rootCertificate)]);
    expect(certificates(paths.podRoot)).toEqual([fingerprint(authority.rootCertificate)]);
    expect(certificates(paths.hashedPodRoot)).toEqual([fingerprint(authority.rootCertificate)]);
  });

  it('can be read by everyone and written by nobody', async () => {
    const paths = trustPaths(dir);
    await writeTrustFiles(paths, authority.rootCertificate, [], Date.now());
    const modes = [paths.allRoots, paths.addedRoots, paths.podRoot, paths.hashedPodRoot, paths.phpIni, paths.javaStore];
    expect(modes.map((file) => statSync(file).mode & 0o777)).toEqual(modes.map(() => 0o444));
  });

  it('point PHP at the bundle', async () => {
    const paths = trustPaths(dir);
    await writeTrustFiles(paths, authority.rootCertificate, [], Date.now());
    expect(readFileSync(paths.phpIni, 'utf8')).toContain(`curl.cainfo="${paths.allRoots}"`);
    expect(readdirSync(paths.phpDir)).toEqual(['lazaret.ini']);
  });

  it('can be written a second time', async () => {
    const paths = trustPaths(dir);
    await writeTrustFiles(paths, authority.rootCertificate, [], Date.now());
    await writeTrustFiles(paths, corporate, [], Date.now());
    expect(certificates(paths.podRoot)).toEqual([fingerprint(corporate)]);
  });
});

describe('private files', () => {
  it("are for the sidecar's uid alone", async () => {
    const paths = authorityPaths(dir);
    await writeAuthorityFiles(paths, authority, owner, NAMES);
    for (const file of [paths.intermediateCertificate, paths.intermediateKey, paths.leafKey]) {
      expect(statSync(file)).toMatchObject({ uid: owner.uid, gid: owner.gid });
      expect(statSync(file).mode & 0o777).toBe(0o400);
    }
  });

  it('count as complete only for the same names, and only after the last of them was written', async () => {
    const paths = authorityPaths(dir);
    expect(await hasCompleteAuthority(paths, NAMES)).toBe(false);
    await writeAuthorityFiles(paths, authority, owner, NAMES);
    expect(await hasCompleteAuthority(paths, NAMES)).toBe(true);
    expect(await hasCompleteAuthority(paths, ['openai.com'])).toBe(false);
  });
});

describe("the operator's roots", () => {
  const write = (text: string): string => {
    const file = join(dir, 'extra.pem');
    writeFileSync(file, text);
    return file;
  };

  it('are read one by one, with text between them', async () => {
    const file = write(`# corporate\n${corporate}\nissuer\n${authority.rootCertificate}`);
    expect((await readExtraRoots(file)).map(fingerprint)).toEqual([
      fingerprint(corporate),
      fingerprint(authority.rootCertificate),
    ]);
  });

  it.each([
    ['nothing', ''],
    ['text', 'no certificate here'],
    ['a private key beside a certificate', `${corporate}${authority.leafKey}`],
    ['a damaged certificate beside a good one', `${corporate}${corporate.replace('MI', '!!')}`],
    ['a certificate whose bytes are none', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ])('are refused when the file holds %s', async (_case, text) => {
    await expect(readExtraRoots(write(text))).rejects.toThrow(/LAZARET_EXTRA_ROOTS/);
  });

  it('are refused when the file is missing', async () => {
    await expect(readExtraRoots(join(dir, 'none.pem'))).rejects.toThrow(/ENOENT/);
  });
});
