import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';
import { readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { findForeignSockets } from '#sidecar/ops/foreign-sockets.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

const uid = process.getuid?.() ?? 0;

function socketsOfProcess(pid: number | 'self'): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      return [];
    }
  });
}

describe.runIf(process.platform === 'linux')('sockets under our uid', () => {
  it('are not foreign when this process holds them, busy, listening, half closed or UDP', async () => {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect({
      port: (server.address() as { port: number }).port,
      host: '127.0.0.1',
      allowHalfOpen: true,
    });
    const [accepted] = (await once(server, 'connection')) as [Socket];
    client.end();
    const datagrams = createSocket('udp4').bind(0, '127.0.0.1');
    await once(datagrams, 'listening');
    cleanups.push(
      () => client.destroy(),
      () => accepted.destroy(),
      () => server.close(),
      () => datagrams.close(),
    );
    const own = socketsOfProcess('self');
    expect(own.length).toBeGreaterThanOrEqual(4);
    expect(findForeignSockets({ uid }).filter((inode) => own.includes(inode))).toEqual([]);
  });

  it('are foreign when another process holds them', async () => {
    const program = `require('net').createServer().listen(0,'127.0.0.1',()=>{
      require('dgram').createSocket('udp4').bind(0,'127.0.0.1',()=>console.log('open'))})`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'ignore'] });
    cleanups.push(() => child.kill());
    await once(child.stdout, 'data');
    const theirs = socketsOfProcess(child.pid ?? 0);
    const found = findForeignSockets({ uid }).filter((inode) => theirs.includes(inode));
    expect(found.length).toBeGreaterThanOrEqual(2);
    expect(findForeignSockets({ uid: uid + 1 }).filter((inode) => theirs.includes(inode))).toEqual([]);
  });
});

describe('a table of sockets', () => {
  const row = (owner: number, inode: number): string =>
    `   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 ${String(owner).padStart(5)}        0 ${inode} 1 0000000000000000 100 0 0 10 0`;
  async function makeProc(
    tables: Readonly<Record<string, readonly string[]>>,
    own: readonly number[],
  ): Promise<string> {
    const self = await mkdtemp(join(tmpdir(), 'lazaret-proc-'));
    cleanups.push(async () => await rm(self, { recursive: true }));
    await mkdir(join(self, 'net'));
    await mkdir(join(self, 'fd'));
    for (const [name, rows] of Object.entries(tables)) {
      await writeFile(join(self, 'net', name), ['  sl  local_address', ...rows, ''].join('\n'));
    }
    for (const [fd, inode] of own.entries()) await symlink(`socket:[${inode}]`, join(self, 'fd', String(fd)));
    return self;
  }

  it('counts those of the uid that have a holder other than us, in every table', async () => {
    const self = await makeProc(
      { tcp: [row(20_001, 11), row(20_001, 12), row(20_001, 0), row(1_000, 13)], udp6: [row(20_001, 14)] },
      [11],
    );
    expect(findForeignSockets({ uid: 20_001, self })).toEqual(['12', '14']);
  });

  it('that cannot be read is a fault, and one that the kernel does not have is empty', async () => {
    const self = await makeProc({}, []);
    expect(findForeignSockets({ uid: 20_001, self })).toEqual([]);
    await mkdir(join(self, 'net', 'tcp'));
    expect(() => findForeignSockets({ uid: 20_001, self })).toThrow();
  });
});
