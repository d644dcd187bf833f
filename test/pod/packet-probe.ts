// Run inside a guarded pod under some uid and gid: `node packet-probe.ts '[{"tcp":"203.0.113.7","port":443}, ...]'`.
// Prints one JSON array: who answered each probe, or the code of the refusal.
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';

/** One packet to try. */
export interface Probe {
  readonly tcp?: string;
  readonly udp?: string;
  readonly port: number;
}

const PATIENCE_MS = 3_000;

function probeTcp(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect({ host, port, timeout: PATIENCE_MS });
    socket.on('data', (bytes) => (said += bytes.toString()));
    socket.once('timeout', () => resolve('nothing'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    socket.once('end', () => resolve(said));
  });
}

function probeUdp(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const finish = (what: string): void => {
      clearTimeout(timer);
      resolve(what);
      socket.close();
    };
    const timer = setTimeout(() => finish('nothing'), PATIENCE_MS);
    socket.once('message', (bytes) => finish(bytes.toString()));
    socket.send('probe', port, host, (error) => {
      if (error !== null) finish((error as NodeJS.ErrnoException).code ?? 'error');
    });
  });
}

if (import.meta.main) {
  const probes = JSON.parse(process.argv[2] ?? '[]') as readonly Probe[];
  const answers = await Promise.all(
    probes.map((probe) =>
      probe.tcp === undefined ? probeUdp(probe.udp ?? '', probe.port) : probeTcp(probe.tcp, probe.port),
    ),
  );
  process.stdout.write(JSON.stringify(answers));
}
