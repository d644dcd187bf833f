import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { LIMIT } from '#contract/limit.ts';
import type { CollectorConfig, Endpoint } from './config.ts';
import { proveByToken } from './ingest/prove-pod.ts';
import { createReceiver } from './ingest/receive.ts';
import { createIngestServer } from './ingest/server.ts';
import { createMetrics } from './metrics.ts';
import { createOpsServer } from './ops-server.ts';
import { EvidenceStore } from './store/evidence-store.ts';
import { CollectorKey } from './store/signing-key.ts';

/** A running collector. */
export interface Collector {
  /** The ports it listens on. */
  readonly port: number;
  readonly opsPort: number;
  /** Takes no more, finishes what is in work, writes the signed manifest. */
  close(): Promise<void>;
}

/** Starts a collector. @throws when a file cannot be read or an address cannot be had */
export async function startCollector(config: CollectorConfig, log: Logger): Promise<Collector> {
  const metrics = createMetrics();
  const key = await CollectorKey.load(config.LAZARET_SIGNING_KEY);
  const now = (): number => Math.floor(Date.now() / 1_000);
  const onFault = (): void => {
    metrics.faults.inc();
    log.error({ event: 'manifest_fault' }, 'the signed manifest could not be written');
  };
  const store = await EvidenceStore.open(config.LAZARET_STORE, key, { now, onFault });
  const receiver = createReceiver(store, proveByToken(config.LAZARET_ENROL_TOKEN));
  const ingest = createIngestServer({ tls: tlsOf(config), receiver, jwks: () => store.jwks, metrics, log });
  let ready = true;
  const ops = createOpsServer(metrics.registry, () => ready);
  const port = await listen(ingest, config.LAZARET_LISTEN);
  const opsPort = await listen(ops, config.LAZARET_OPS);
  log.info({ event: 'listening', port, ops_port: opsPort }, 'the collector takes evidence');
  return {
    port,
    opsPort,
    close: async () => {
      ready = false;
      await Promise.all([stop(ingest), stop(ops)]);
      await store.close();
    },
  };
}

function tlsOf(config: CollectorConfig): { readonly cert: string; readonly key: string } | null {
  const { LAZARET_TLS_CERT: cert, LAZARET_TLS_KEY: key } = config;
  if (config.LAZARET_PLAIN === 'on' || cert === undefined || key === undefined) return null;
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

async function listen(server: Server, endpoint: Endpoint): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(endpoint.port, endpoint.host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** Ends a server: running requests finish, idle connections do not hold it up, and nothing does beyond the deadline. */
async function stop(server: Server): Promise<void> {
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  const timer = setTimeout(() => server.closeAllConnections(), LIMIT.drainMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearInterval(idle);
  clearTimeout(timer);
}
