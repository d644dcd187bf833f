import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { mergeEnvironment, podEnvironment } from '#contract/pod-environment.ts';
import { trustPaths } from '#contract/pod-paths.ts';
import { lastLogLine } from '../pod/guard.ts';
import { chooseIdentity } from '../pod/identity.ts';
import { MadeAddresses } from '../pod/made-address.ts';
import { readPolicy, signPolicy, writeCollectorCertificate } from '../pod/material.ts';
import { getOps } from '../pod/ops-client.ts';
import type { Program } from '../pod/program.ts';
import { endProgram, startProgram } from '../pod/program.ts';
import { serveDatagrams } from '../pod/resolver.ts';
import type { Ended } from './child.ts';
import { collect, NODE, ROOT } from './child.ts';
import type { Stage } from './stage.ts';
import { plainEnvironment } from './stage.ts';

const LOOPBACK = '127.0.0.1';
const READY_MS = 20_000;
const DRAIN_MS = 30_000;
const POLL_MS = 20;

/** The ports of one run, all on loopback. */
interface Ports {
  readonly intercept: number;
  readonly ops: number;
  readonly collector: number;
  readonly resolver: number;
  /** The operator's HTTP proxy, which leads every name to the stand-ins. */
  readonly egress: number;
}

/** Runs the application with the sidecar as its explicit proxy, without any privilege. */
export async function runThroughProxy(stage: Stage): Promise<Ended> {
  await using ending = new AsyncDisposableStack();
  const log = openSync(join(stage.dir, 'log'), 'w');
  const ports = await openPorts(stage, ending);
  const collector = await startCollector(stage, ports, log);
  ending.defer(() => endProgram(collector, DRAIN_MS));
  await prepare(stage, log);
  const sidecar = startSidecar(stage, ports, log);
  ending.defer(() => endProgram(sidecar, DRAIN_MS));
  await waitUntilReady(stage, ports, sidecar);
  const ended = await runApplication(stage, ports);
  const metrics = await getOps(LOOPBACK, ports.ops, '/metrics');
  await writeFile(join(stage.dir, 'metrics'), metrics?.body ?? '');
  return ended;
}

async function openPorts(stage: Stage, ending: AsyncDisposableStack): Promise<Ports> {
  const resolver = createSocket('udp4');
  const addresses = new MadeAddresses([]);
  serveDatagrams(resolver, (name) => addresses.addressOf(name));
  resolver.bind(0, LOOPBACK);
  const egress = createServer().on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    const upstream = connect(stage.port, LOOPBACK, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  });
  egress.listen(0, LOOPBACK);
  await Promise.all([once(resolver, 'listening'), once(egress, 'listening')]);
  ending.defer(() => {
    resolver.close();
    egress.closeAllConnections();
    egress.close();
  });
  const [intercept, ops, collector] = await Promise.all([freePort(), freePort(), freePort()]);
  return {
    intercept,
    ops,
    collector,
    resolver: resolver.address().port,
    egress: (egress.address() as AddressInfo).port,
  };
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, LOOPBACK);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function startCollector({ dir }: Stage, ports: Ports, log: number): Promise<Program> {
  await mkdir(join(dir, 'store'));
  await writeFile(join(dir, 'token'), chooseIdentity(0).enrolToken, { mode: 0o600 });
  await writeCollectorCertificate(LOOPBACK, join(dir, 'collector.key'), join(dir, 'collector.pem'));
  return startProgram({
    command: [...NODE, join(ROOT, 'collector/main.ts')],
    environment: {
      PATH: process.env.PATH ?? '',
      LAZARET_LISTEN: `${LOOPBACK}:${ports.collector}`,
      LAZARET_OPS: `${LOOPBACK}:0`,
      LAZARET_TLS_CERT: join(dir, 'collector.pem'),
      LAZARET_TLS_KEY: join(dir, 'collector.key'),
      LAZARET_STORE: join(dir, 'store'),
      LAZARET_SIGNING_KEY: join(dir, 'collector.jwk'),
      LAZARET_ENROL_TOKEN: join(dir, 'token'),
    },
    log,
  });
}

/** The pod CA and trust files, made by the real program, and the signed policy. */
async function prepare({ dir, ca }: Stage, log: number): Promise<void> {
  const policy = await readPolicy(join(ROOT, 'cli/pod/default-policy.yaml'), false, Date.now());
  const init = startProgram({
    command: [...NODE, join(ROOT, 'sidecar/init.ts')],
    environment: {
      PATH: process.env.PATH ?? '',
      LAZARET_PROXY_MODE: 'on',
      LAZARET_CA_DIR: join(dir, 'ca'),
      LAZARET_TRUST_DIR: join(dir, 'trust'),
      LAZARET_CONSTRAINTS: policy.constraints.join(','),
      LAZARET_EXTRA_ROOTS: ca,
    },
    log,
  });
  const { bundle, key } = await signPolicy(policy.policy, Date.now());
  await writeFile(join(dir, 'bundle'), bundle);
  await writeFile(join(dir, 'bundle.public.jwk'), key);
  if ((await init.ended) !== 0) throw new Error('lazaret-init failed');
}

function startSidecar({ dir, ca }: Stage, ports: Ports, log: number): Program {
  const identity = chooseIdentity(0);
  return startProgram({
    command: [...NODE, join(ROOT, 'sidecar/main.ts')],
    environment: {
      PATH: process.env.PATH ?? '',
      LAZARET_PROXY_MODE: 'on',
      LAZARET_LISTEN: `${LOOPBACK}:${ports.intercept}`,
      LAZARET_OPS: `${LOOPBACK}:${ports.ops}`,
      LAZARET_BUNDLE: join(dir, 'bundle'),
      LAZARET_BUNDLE_KEY: join(dir, 'bundle.public.jwk'),
      LAZARET_CA_DIR: join(dir, 'ca'),
      LAZARET_RECIPIENTS: join(dir, 'keys/recipients.public.jwks'),
      LAZARET_SPOOL: join(dir, 'spool'),
      LAZARET_COLLECTOR: `https://${LOOPBACK}:${ports.collector}`,
      LAZARET_COLLECTOR_CA: join(dir, 'collector.pem'),
      LAZARET_ENROL_TOKEN: join(dir, 'token'),
      LAZARET_UPSTREAM_CA: ca,
      LAZARET_RESOLVERS: `${LOOPBACK}:${ports.resolver}`,
      LAZARET_EGRESS_PROXY: `http://${LOOPBACK}:${ports.egress}`,
      LAZARET_POD_NAMESPACE: 'phi',
      LAZARET_POD_NAME: identity.name,
      LAZARET_POD_UID: identity.podUid,
      LAZARET_CHAIN: identity.chain,
    },
    log,
  });
}

async function waitUntilReady({ dir }: Stage, ports: Ports, sidecar: Program): Promise<void> {
  let over = false;
  void sidecar.ended.then(() => (over = true));
  const deadline = Date.now() + READY_MS;
  while ((await getOps(LOOPBACK, ports.ops, '/readyz'))?.status !== 200) {
    if (over || Date.now() > deadline) {
      throw new Error(`the sidecar did not become ready; its last word: ${lastLogLine(join(dir, 'log'))}`);
    }
    await delay(POLL_MS);
  }
}

function runApplication({ dir }: Stage, ports: Ports): Promise<Ended> {
  const existing = Object.entries(plainEnvironment()).map(([name, value]) => ({ name, value: value ?? '' }));
  const { environment } = mergeEnvironment(existing, podEnvironment(trustPaths(join(dir, 'trust'))));
  const [node, ...flags] = NODE;
  const child = spawn(node, [...flags, join(ROOT, 'cli/demo/application.ts'), '--through-proxy'], {
    env: {
      ...Object.fromEntries(environment.map(({ name, value }) => [name, value])),
      HTTPS_PROXY: `http://${LOOPBACK}:${ports.intercept}`,
      NODE_USE_ENV_PROXY: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return collect(child);
}
