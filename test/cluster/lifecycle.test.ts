// The commands themselves, in slots of their own beside the clusters of the other tests.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enterCluster, findCluster } from './namespace.ts';
import { CLIENTS, type ClusterPlace, clusterPlace, testPlaces } from './place.ts';
import { runCommand, tryCommand } from './run-command.ts';
import { waitFor } from './wait-for.ts';

const SLOT = 6;
const PLACE = clusterPlace(SLOT);
const SECOND = clusterPlace(7);
const ROOT = join(import.meta.dirname, '../..');

function cluster(verb: string, ...args: readonly string[]) {
  return tryCommand(['npm', 'run', '-s', 'cluster', '--', verb, `--slot=${SLOT}`, ...args], { cwd: ROOT });
}

async function readyz(kubeconfig: string): Promise<string> {
  return runCommand([join(CLIENTS, 'kubectl'), `--kubeconfig=${kubeconfig}`, 'get', '--raw=/readyz']);
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

async function clear(): Promise<void> {
  await cluster('down');
  await cluster('down', `--slot=${SECOND.slot}`);
}

beforeAll(clear);
afterAll(clear);

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
  // It says for a moment longer that it is ready.
  await waitFor('the API server to miss it', async () => {
    const ready = await readyz(PLACE.kubeconfig).catch(() => '');
    return ready === 'ok' ? null : true;
  });
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
  expect(leftovers()).toEqual([]);
});

/** What there is of the slot's cluster, and of runs of tests in it. */
function leftovers({ slot, state, link, cgroup }: ClusterPlace = PLACE): readonly string[] {
  const running = readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(state);
    } catch {
      return false;
    }
  });
  const trees = readdirSync('/sys/fs/cgroup').filter((tree) => existsSync(join('/sys/fs/cgroup', tree, cgroup)));
  return [
    ...running.map((pid) => `process ${pid}`),
    ...(existsSync(`/sys/class/net/${link}`) ? [link] : []),
    ...(readFileSync('/proc/self/mounts', 'utf8').includes(state) ? ['a mount'] : []),
    ...trees.map((tree) => `cgroup ${tree}/${cgroup}`),
    ...(existsSync(state) ? [state] : []),
    ...readdirSync('/var/tmp').filter((name) => name.startsWith(`lazaret-run-${slot}-`)),
  ];
}

/** The machine's packet rules and named network namespaces: no run changes them. */
async function machine(): Promise<string> {
  return (await runCommand(['nft', 'list', 'ruleset'])) + (await runCommand(['ip', 'netns', 'list']));
}

/** Begins a run of two files of tests in the slots, in a process group of its own as a terminal makes one. */
function startRun(slots: string): { readonly pid: number; readonly ended: Promise<number | null> } {
  const env = { ...process.env, LAZARET_TEST_SLOT: slots, TMPDIR: '/tmp' };
  const files = ['cluster.test', 'pod-proof'];
  const child = spawn('npm', ['run', '-s', 'test:cluster', '--', ...files], { cwd: ROOT, env, detached: true });
  for (const stream of [child.stdout, child.stderr]) stream.resume();
  const ended = once(child, 'close').then(([code]) => (typeof code === 'number' ? code : null));
  return { pid: child.pid ?? 0, ended };
}

/** Whether a test has made something: it has a namespace of its own. */
async function testsRun(): Promise<true | null> {
  const kubectl = [join(CLIENTS, 'kubectl'), `--kubeconfig=${PLACE.kubeconfig}`, '--request-timeout=5s'];
  const { stdout } = await tryCommand([...kubectl, 'get', 'namespaces', '--output=name']);
  return stdout.includes('namespace/test-') ? true : null;
}

const clusterStarts = (): Promise<true | null> => Promise.resolve(findCluster(PLACE) === null ? null : true);

/** The second worker of the run has begun its own cluster. */
const secondStarts = async (): Promise<true | null> => (findCluster(SECOND) === null ? null : await testsRun());

const MOMENTS = [
  ['Ctrl-C while tests run', 'SIGINT', `${SLOT}`, testsRun],
  ['Ctrl-C while the cluster starts', 'SIGINT', `${SLOT}`, clusterStarts],
  ['a kill while tests run in one cluster and another one starts', 'SIGKILL', `${SLOT},${SECOND.slot}`, secondStarts],
] as const;

test.each(MOMENTS)(
  '%s leaves no process, interface, mount, cgroup, rule or file',
  async (_, signal, slots, hasCome) => {
    const before = await machine();
    const run = startRun(slots);
    await waitFor('the moment', hasCome, 240);
    process.kill(-run.pid, signal);
    expect(await run.ended).not.toBe(0);
    const left = () => [...leftovers(), ...leftovers(SECOND)];
    await waitFor('the end of what it left', () => Promise.resolve(left().length === 0 ? true : null), 240);
    expect(await machine()).toBe(before);
  },
  600_000,
);

test('a second run in a slot where tests run is refused, and says what to do', async () => {
  const env = { ...process.env, LAZARET_TEST_SLOT: `${testPlaces()[0]?.slot}` };
  const run = await tryCommand(['npm', 'run', '-s', 'test:cluster', '--', 'pod-proof'], { cwd: ROOT, env });
  expect(run.status).not.toBe(0);
  expect(run.stdout + run.stderr).toContain('other tests run in slot');
});

test('a wrong verb or slot is refused with the usage', async () => {
  expect(await cluster('upp')).toMatchObject({ status: 2, stderr: expect.stringContaining('usage:') });
  expect(await tryCommand(['npm', 'run', '-s', 'cluster', '--', 'up', '--slot=9'], { cwd: ROOT })).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('--slot must be 0 to 7'),
  });
});
