// The commands themselves, in a slot of their own beside the cluster of the other tests.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enterCluster, findCluster } from './namespace.ts';
import { CLIENTS, clusterPlace } from './place.ts';
import { runCommand, tryCommand } from './run-command.ts';
import { waitFor } from './wait-for.ts';

const SLOT = 6;
const PLACE = clusterPlace(SLOT);
const ROOT = join(import.meta.dirname, '../..');

function cluster(...args: readonly string[]) {
  return tryCommand(['npm', 'run', '-s', 'cluster', '--', ...args, `--slot=${SLOT}`], { cwd: ROOT });
}

async function readyz(kubeconfig: string): Promise<string> {
  return runCommand([join(CLIENTS, 'kubectl'), `--kubeconfig=${kubeconfig}`, 'get', '--raw=/readyz']);
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

beforeAll(() => cluster('down'));
afterAll(() => cluster('down'));

test('up prints a kubeconfig that works from outside, and a second up changes nothing', async () => {
  const first = await cluster('up', '--control-plane');
  expect(lastLine(first.stdout)).toBe(`KUBECONFIG=${PLACE.kubeconfig}`);
  expect(await readyz(PLACE.kubeconfig)).toBe('ok');
  const before = findCluster(PLACE);
  const second = await cluster('up', '--control-plane');
  expect([second.status, lastLine(second.stdout)]).toEqual([0, `KUBECONFIG=${PLACE.kubeconfig}`]);
  expect(findCluster(PLACE)).toBe(before);
});

test('a part that ended is started again by up', async () => {
  const pid = findCluster(PLACE) ?? 0;
  await runCommand([...enterCluster(pid), 'sh', '-c', 'kill -9 $(pidof kube-controller-manager)']);
  expect((await cluster('up', '--control-plane')).status).toBe(0);
  expect(findCluster(PLACE)).toBe(pid);
  await waitFor('the controller-manager', async () => {
    const { status } = await tryCommand([...enterCluster(pid), 'pidof', 'kube-controller-manager']);
    return status === 0 ? true : null;
  });
});

test('a cluster that does not answer any more is made anew by up', async () => {
  const before = findCluster(PLACE) ?? 0;
  await runCommand([...enterCluster(before), 'sh', '-c', 'kill -9 $(pidof etcd)']);
  expect((await cluster('up', '--control-plane')).status).toBe(0);
  expect(findCluster(PLACE)).not.toBe(before);
  expect(await readyz(PLACE.kubeconfig)).toBe('ok');
});

test('what a crash left is cleaned by the next up', async () => {
  process.kill(findCluster(PLACE) ?? 0, 'SIGKILL');
  expect((await cluster('up', '--control-plane')).status).toBe(0);
  expect(await readyz(PLACE.kubeconfig)).toBe('ok');
});

test('down leaves no process, no interface, no mount, no cgroup and no file', async () => {
  expect((await cluster('down')).status).toBe(0);
  const left = readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(PLACE.state);
    } catch {
      return false;
    }
  });
  expect(left).toEqual([]);
  expect(existsSync(`/sys/class/net/${PLACE.link}`)).toBe(false);
  expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(PLACE.state);
  expect(
    readdirSync('/sys/fs/cgroup').filter((tree) => existsSync(join('/sys/fs/cgroup', tree, PLACE.cgroup))),
  ).toEqual([]);
  expect(existsSync(PLACE.state)).toBe(false);
});

test('a wrong verb or slot is refused with the usage', async () => {
  expect(await cluster('upp')).toMatchObject({ status: 2, stderr: expect.stringContaining('usage:') });
  expect(await tryCommand(['npm', 'run', '-s', 'cluster', '--', 'up', '--slot=9'], { cwd: ROOT })).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('--slot must be 0 to 7'),
  });
});
