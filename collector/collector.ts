import type { Server } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { LIMIT } from '#contract/limit.ts';
import type { CollectorConfig, Endpoint } from './config.ts';
import { updateGauges } from './gauges.ts';
import { type ProvePod, proveAccount, proveByReview, proveByToken } from './ingest/prove-pod.ts';
import { createReceiver } from './ingest/receive.ts';
import { createRegistry, type Registry } from './ingest/registry.ts';
import { createIngestServer } from './ingest/server.ts';
import { ServingCertificate } from './ingest/serving-certificate.ts';
import { TokenReviewer } from './ingest/token-review.ts';
import { createMetrics, type Metrics } from './metrics.ts';
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

/** Who may enrol and who is the controller, by the settings. */
interface Proofs {
  readonly pod: ProvePod;
  readonly registry: Registry | null;
  close(): Promise<void>;
}

/** Starts a collector. @throws when a file cannot be read or an address cannot be had */
export async function startCollector(config: CollectorConfig, log: Logger, version: string): Promise<Collector> {
  const metrics = createMetrics();
  metrics.build.set({ version, program: 'lazaret-collector' }, 1);
  const certificate = await certificateOf(config);
  const store = await openStore(config, metrics, log);
  const proofs = proofsOf(config, store);
  const ingest = createIngestServer({
    tls: certificate?.pair ?? null,
    receiver: createReceiver(store, proofs.pod),
    registry: proofs.registry,
    jwks: () => store.jwks,
    metrics,
    log,
  });
  watchCertificate(certificate, ingest, { metrics, log });
  let ready = true;
  const ops = createOpsServer({
    metrics: async () => {
      await updateGauges(metrics, { dir: config.LAZARET_STORE, store, certificate, now: Date.now });
      return metrics.registry.metrics();
    },
    metricsType: metrics.registry.contentType,
    unready: () => (ready ? [] : ['stopping']),
  });
  const port = await listen(ingest, config.LAZARET_LISTEN);
  const opsPort = await listen(ops, config.LAZARET_OPS);
  log.info({ event: 'listening', port, ops_port: opsPort }, 'the collector takes evidence');
  return {
    port,
    opsPort,
    close: async () => {
      ready = false;
      certificate?.close();
      await Promise.all([stop(ingest), stop(ops)]);
      await proofs.close();
      await store.close();
    },
  };
}

async function openStore(config: CollectorConfig, metrics: Metrics, log: Logger): Promise<EvidenceStore> {
  const key = await CollectorKey.load(config.LAZARET_SIGNING_KEY);
  const now = (): number => Math.floor(Date.now() / 1_000);
  const onFault = (): void => {
    metrics.faults.inc();
    log.error({ event: 'manifest_fault' }, 'the signed manifest could not be written');
  };
  return EvidenceStore.open(config.LAZARET_STORE, key, { now, onFault });
}

function proofsOf(config: CollectorConfig, store: EvidenceStore): Proofs {
  const { LAZARET_ENROL_TOKEN: token, LAZARET_API_SERVER: apiServer, LAZARET_CONTROLLER: controller } = config;
  if (config.LAZARET_POD_PROOF === 'token' || apiServer === undefined) {
    if (token === undefined) throw new TypeError('nobody could enrol: neither a token file nor an API server is named');
    return { pod: proveByToken(token), registry: null, close: async () => undefined };
  }
  const reviewer = new TokenReviewer({
    apiServer,
    accountDir: config.LAZARET_SERVICE_ACCOUNT_DIR,
    now: () => performance.now(),
  });
  const review = (bearer: string) => reviewer.review(bearer);
  const registry = controller === undefined ? null : createRegistry(store, proveAccount(review, controller));
  return { pod: proveByReview(review), registry, close: () => reviewer.close() };
}

async function certificateOf(config: CollectorConfig): Promise<ServingCertificate | null> {
  const { LAZARET_TLS_CERT: cert, LAZARET_TLS_KEY: key } = config;
  if (config.LAZARET_PLAIN === 'on' || cert === undefined || key === undefined) return null;
  return ServingCertificate.load({ cert, key });
}

function watchCertificate(
  certificate: ServingCertificate | null,
  server: Server,
  { metrics, log }: { readonly metrics: Metrics; readonly log: Logger },
): void {
  certificate?.watch({
    onChange: (pair) => {
      if (server instanceof TlsServer) server.setSecureContext({ ...pair, minVersion: 'TLSv1.2' });
      log.info({ event: 'certificate' }, 'a new certificate is in use');
    },
    onFault: () => {
      metrics.faults.inc();
      log.error({ event: 'certificate_fault' }, 'the mounted certificate cannot be used: the one before stays in use');
    },
  });
}

/** Listens; a node without IPv6 has no `::`, and there every IPv4 address is meant. */
async function listen(server: Server, { host, port }: Endpoint): Promise<number> {
  await bind(server, { host, port }).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (host !== '::' || (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL')) throw error;
    return bind(server, { host: '0.0.0.0', port });
  });
  return (server.address() as AddressInfo).port;
}

async function bind(server: Server, endpoint: Endpoint): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(endpoint.port, endpoint.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
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
