import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { audit } from '#cli/audit.ts';
import type { CommandIo } from '#cli/io.ts';
import { keysInit } from '#cli/keys.ts';
import { type Collector, startCollector } from '#collector/collector.ts';
import type { CollectorConfig } from '#collector/config.ts';

/** What is done when the test is over. */
export type Later = (work: () => void | Promise<void>) => void;

/** A folder that is gone when the test is. */
export function folder(later: Later = onTestFinished): string {
  const dir = mkdtempSync(join(tmpdir(), 'lazaret-audit-'));
  later(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A terminal to run a command in. */
export function terminal(): CommandIo & { readonly out: string[]; readonly err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  return {
    out,
    err,
    stdin: (async function* empty() {})(),
    stdout: (text) => void out.push(text),
    stderr: (text) => void err.push(text),
    readFile: async (path) => readFileSync(path, 'utf8'),
    writeFile: async (path, text, mode) => {
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, text, { mode });
    },
  };
}

/** Keys as `lazaret keys init` makes them. */
export async function makeKeys(
  dir: string,
): Promise<{ readonly auditor: string; readonly escrow: string; readonly recipients: string }> {
  await keysInit(['--out', dir], terminal());
  return {
    auditor: join(dir, 'auditor.private.jwk'),
    escrow: join(dir, 'escrow.private.jwk'),
    recipients: join(dir, 'recipients.public.jwks'),
  };
}

/** A certificate for 127.0.0.1 and its key. */
export async function makeCertificate(dir: string): Promise<{ readonly cert: string; readonly key: string }> {
  x509.cryptoProvider.set(webcrypto as never);
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=collector',
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }]),
      new x509.BasicConstraintsExtension(true),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const cert = join(dir, 'collector.crt');
  const key = join(dir, 'collector.key');
  writeFileSync(cert, certificate.toString('pem'));
  writeFileSync(
    key,
    `-----BEGIN PRIVATE KEY-----\n${pkcs8.match(/.{1,64}/g)?.join('\n') ?? ''}\n-----END PRIVATE KEY-----\n`,
  );
  return { cert, key };
}

/** A collector on a loopback port over real TLS. @param settings that are not those of a collector on one machine */
export async function collectorRig(
  dir: string,
  later: Later = onTestFinished,
  settings: Partial<CollectorConfig> = {},
) {
  const { cert, key } = await makeCertificate(dir);
  const tokenFile = join(dir, 'token');
  writeFileSync(tokenFile, randomBytes(24).toString('base64url'));
  const store = join(dir, 'store');
  let running: Collector | null = null;
  const start = async (port = 0): Promise<Collector> => {
    running = await startCollector(
      {
        LAZARET_LISTEN: { host: '127.0.0.1', port },
        LAZARET_OPS: { host: '127.0.0.1', port: 0 },
        LAZARET_TLS_CERT: cert,
        LAZARET_TLS_KEY: key,
        LAZARET_PLAIN: 'off',
        LAZARET_STORE: store,
        LAZARET_SIGNING_KEY: join(dir, 'collector.private.jwk'),
        LAZARET_POD_PROOF: 'token',
        LAZARET_ENROL_TOKEN: tokenFile,
        LAZARET_SERVICE_ACCOUNT_DIR: '/var/run/secrets/kubernetes.io/serviceaccount',
        LAZARET_LOG_LEVEL: 'silent',
        ...settings,
      },
      pino({ level: 'silent' }),
      '0.1.0',
    );
    return running;
  };
  const stop = async (): Promise<void> => {
    await running?.close();
    running = null;
  };
  later(stop);
  return { start, stop, store, tokenFile, cert, key, ca: readFileSync(cert, 'utf8') };
}

/** Runs `lazaret audit`. */
export async function runAudit(...args: string[]): Promise<{
  readonly code: number;
  readonly lines: readonly Record<string, unknown>[];
  readonly text: string;
  readonly error: string;
}> {
  const io = terminal();
  const code = await audit(args, io);
  const text = io.out.join('');
  const lines = args.includes('--json')
    ? text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    : [];
  return { code, lines, text, error: io.err.join('') };
}

/** Every file below a folder. */
export function filesBelow(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
