import { type KeyObject, webcrypto } from 'node:crypto';
import { Agent, request as httpsRequest } from 'node:https';
import { calculateJwkThumbprint, compactVerify, exportJWK } from 'jose';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { BUNDLE_PATH } from '#contract/bundle-protocol.ts';
import { BUNDLE_PAYLOAD, type BundlePayload } from '#contract/bundle.ts';
import { createBundleMetrics } from '#controller/bundle/bundle-metrics.ts';
import { type BundleServer, createBundleServer } from '#controller/bundle/bundle-server.ts';
import type { ReleaseLists } from '#controller/lists/release-lists.ts';
import { PolicyCache } from '#controller/policy/policy-cache.ts';
import type { ClusterView, ProvenPod, ProveToken, SigningKeys } from '#controller/ports.ts';
import { type IssuedCertificate, makeTestAuthority, type TestAuthority } from '#test/fake/test-authority.ts';

/** A key that signs, and its public half. */
export interface TestKeys {
  readonly keys: SigningKeys;
  readonly publicKey: CryptoKey;
}

export async function makeKeys(epoch = 1): Promise<TestKeys> {
  const pair = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const jwk = await exportJWK(pair.publicKey);
  return {
    keys: { current: pair.privateKey, currentKid: await calculateJwkThumbprint(jwk), next: null, epoch },
    publicKey: pair.publicKey,
  };
}

/** A running bundle server and what it stands on. */
export interface Serving {
  readonly server: BundleServer;
  readonly port: number;
  readonly registry: Registry;
  readonly authority: TestAuthority;
  /** Lines that it logged. */
  readonly lines: readonly string[];
  /** Tokens and whom they prove; a rejection stands for an API server that does not answer. */
  readonly tokens: Map<string, ProvenPod | Error>;
  /** How often the API server was asked. */
  readonly reviews: () => number;
  keys: SigningKeys | null;
  now: () => number;
  tellKeys(): void;
  renewCertificate(certificate: IssuedCertificate): void;
}

/** What else a server may stand on. */
export interface ServeOptions {
  /** Asks somebody else than `tokens`. */
  readonly prove?: ProveToken;
  readonly lists?: ReleaseLists;
}

export async function serve(
  view: ClusterView,
  keys: SigningKeys | null,
  { prove, lists }: ServeOptions = {},
): Promise<Serving> {
  const authority = await makeTestAuthority();
  let issued = await authority.issue('localhost');
  const lines: string[] = [];
  const registry = new Registry();
  const tokens = new Map<string, ProvenPod | Error>();
  const keyListeners = new Set<() => void>();
  const certificateListeners = new Set<() => void>();
  let reviews = 0;
  const serving = {
    keys,
    now: () => Date.now(),
    registry,
    authority,
    lines,
    tokens,
    reviews: () => reviews,
    tellKeys: () => {
      for (const listener of keyListeners) listener();
    },
    renewCertificate: (certificate: IssuedCertificate) => {
      issued = certificate;
      for (const listener of certificateListeners) listener();
    },
  };
  const server = createBundleServer({
    view,
    policies: new PolicyCache(() => lists?.inPolicy()),
    ...(lists === undefined ? {} : { lists }),
    prove: (token) => {
      reviews++;
      if (prove !== undefined) return prove(token);
      const proof = tokens.get(token) ?? null;
      return proof instanceof Error ? Promise.reject(proof) : Promise.resolve(proof);
    },
    keys: () => serving.keys,
    onKeys: (listener) => {
      keyListeners.add(listener);
      return () => void keyListeners.delete(listener);
    },
    certificate: {
      current: () => ({ cert: issued.certificate, key: issued.key }),
      onChange: (listener) => {
        certificateListeners.add(listener);
        return () => void certificateListeners.delete(listener);
      },
    },
    metrics: createBundleMetrics(registry),
    log: pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) }),
    now: () => serving.now(),
  });
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  return Object.assign(serving, { server, port });
}

/** What a caller asks. */
export interface Ask {
  readonly token?: string;
  readonly after?: string;
  readonly wait?: number;
  readonly tag?: string;
  readonly path?: string;
  readonly method?: string;
  readonly agent?: Agent;
  readonly signal?: AbortSignal;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
  /** The name on the certificate that the server showed. */
  readonly serial: string;
}

/** One real request over TLS. */
export function ask(serving: Serving, given: Ask = {}): Promise<Answered> {
  const query = new URLSearchParams();
  if (given.after !== undefined) query.set('after', given.after);
  if (given.wait !== undefined) query.set('wait', String(given.wait));
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port: serving.port,
        servername: 'localhost',
        ca: serving.authority.root,
        path: given.path ?? `${BUNDLE_PATH}?${query.toString()}`,
        method: given.method ?? 'GET',
        agent: given.agent ?? new Agent({ maxCachedSessions: 0 }),
        headers: {
          ...(given.token === undefined ? {} : { authorization: `Bearer ${given.token}` }),
          ...(given.tag === undefined ? {} : { 'if-none-match': given.tag }),
        },
        ...(given.signal === undefined ? {} : { signal: given.signal }),
      },
      (response) => {
        const socket = response.socket as unknown as { getPeerCertificate(): { readonly serialNumber: string } };
        const { serialNumber } = socket.getPeerCertificate();
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('latin1'),
            serial: serialNumber,
          }),
        );
      },
    );
    request.on('error', reject);
    request.end();
  });
}

/** Verifies a bundle as a sidecar does. */
export async function payloadOf(body: string, publicKey: CryptoKey | KeyObject): Promise<BundlePayload> {
  const { payload, protectedHeader } = await compactVerify(body, publicKey, { algorithms: ['ES256'] });
  if (protectedHeader.typ !== 'lazaret-bundle+jws') throw new Error('the bundle has another type');
  return BUNDLE_PAYLOAD.parse(JSON.parse(new TextDecoder().decode(payload)));
}

/** Waits until something holds, looking at it each turn of the event loop. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}
