import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { serveDatagrams } from '#cli/pod/resolver.ts';
import type { Order, Result } from './load.ts';
import type { Material } from './material.ts';
import { CORE, findProgram, type Running, startProgram, until } from './process.ts';
import { LISTED_HOST, LLM_HOST } from './prompt.ts';
import type { UpstreamOrder, UpstreamPorts } from './upstream.ts';

export const NODE_FLAGS = ['--disable-warning=ExperimentalWarning'] as const;

/** All that is around the measured programs. */
export interface World {
  readonly ports: UpstreamPorts;
  /** The program that answers plain requests. */
  readonly upstream: 'nginx' | 'node';
  /** Address and port of a resolver that leads every name to 127.0.0.1. */
  readonly resolver: string;
  readonly collector: { readonly url: string; readonly pid: number };
  /** Gives the load generator an order. @throws Error when it failed */
  order<K extends Order['kind']>(order: Extract<Order, { kind: K }>): Promise<Extract<Result, { kind: K }>>;
}

/** Starts upstream, load generator, resolver and collector, all on the core that the measured programs do not use. */
export async function startWorld(material: Material, answer: Buffer): Promise<World> {
  const node = await startNodeUpstream(material, answer);
  const nginx = await startNginx(material, answer);
  const [resolver, collector] = await Promise.all([startResolver(), startCollector(material)]);
  const load = startProgram({
    command: [process.execPath, ...NODE_FLAGS, join(material.root, 'bench/load.ts')],
    core: CORE.world,
    channel: true,
  });
  return {
    ports: nginx === null ? node : { ...node, plain: nginx },
    upstream: nginx === null ? 'node' : 'nginx',
    resolver,
    collector,
    order: async (order) => (await ask(load, order)) as never,
  };
}

async function ask(load: Running, order: Order): Promise<Result> {
  const result = await new Promise<Result>((resolve, reject) => {
    const onExit = (): void => reject(new Error(`the load generator ended: ${load.said()}`));
    load.child.once('exit', onExit);
    load.child.once('message', (message) => {
      load.child.off('exit', onExit);
      resolve(message as Result);
    });
    load.child.send(order);
  });
  if (result.kind === 'failed') throw new Error(result.why);
  return result;
}

/** @returns a port on 127.0.0.1 that nobody has at this moment */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function startNodeUpstream(material: Material, answer: Buffer): Promise<UpstreamPorts> {
  const order: UpstreamOrder = { issued: material.issued, answer: answer.toString() };
  const program = startProgram({
    command: [process.execPath, ...NODE_FLAGS, join(material.root, 'bench/upstream.ts')],
    core: CORE.world,
    environment: { BENCH_UPSTREAM: JSON.stringify(order) },
    channel: true,
  });
  return await new Promise<UpstreamPorts>((resolve, reject) => {
    program.child.once('message', (ports) => resolve(ports as UpstreamPorts));
    program.child.once('exit', () => reject(new Error(`the upstream ended: ${program.said()}`)));
  });
}

/** @returns its port, or null where nginx is not installed */
async function startNginx({ dir }: Material, answer: Buffer): Promise<number | null> {
  const nginx = findProgram('nginx');
  if (nginx === null) return null;
  const port = await freePort();
  const serverFor = (host: string): string => `
  server {
    listen 127.0.0.1:${port} ssl;
    server_name ${host};
    ssl_certificate ${dir}/${host}.pem;
    ssl_certificate_key ${dir}/${host}.pem;
    location / { default_type application/json; return 200 '${answer.toString()}'; }
  }`;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${dir}/nginx-${name};`,
  );
  const config = `daemon off; master_process off; worker_processes 1; pid ${dir}/nginx.pid; error_log stderr error;
events { worker_connections 512; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 300s; tcp_nodelay on; client_body_buffer_size 16k;
  ssl_protocols TLSv1.3; ssl_session_cache shared:bench:1m;
${temporary.join('\n')}
${serverFor(LLM_HOST)}${serverFor(LISTED_HOST)}
}
`;
  writeFileSync(`${dir}/nginx.conf`, config);
  const program = startProgram({ command: [nginx, '-p', dir, '-c', `${dir}/nginx.conf`], core: CORE.world });
  await until('nginx', program, () => answers(port));
  return port;
}

async function startResolver(): Promise<string> {
  const socket = createSocket('udp4');
  serveDatagrams(socket, () => '127.0.0.1');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return `127.0.0.1:${socket.address().port}`;
}

async function startCollector(material: Material): Promise<World['collector']> {
  const { dir, root } = material;
  const [port, ops] = await Promise.all([freePort(), freePort()]);
  const program = startProgram({
    command: [process.execPath, ...NODE_FLAGS, join(root, 'collector/main.ts')],
    core: CORE.world,
    environment: {
      LAZARET_LISTEN: `127.0.0.1:${port}`,
      LAZARET_OPS: `127.0.0.1:${ops}`,
      LAZARET_TLS_CERT: join(dir, 'collector.pem'),
      LAZARET_TLS_KEY: join(dir, 'collector.key'),
      LAZARET_STORE: join(dir, 'store'),
      LAZARET_SIGNING_KEY: join(dir, 'collector.jwk'),
      LAZARET_ENROL_TOKEN: join(dir, 'token'),
      LAZARET_LOG_LEVEL: 'error',
    },
  });
  await until('the collector', program, () => answers(port));
  return { url: `https://127.0.0.1:${port}`, pid: program.pid };
}

/** Whether somebody listens on a port. */
export async function answers(port: number): Promise<boolean> {
  const { connect } = await import('node:net');
  return await new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
