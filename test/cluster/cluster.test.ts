import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { partVersion } from './build.ts';
import { NODE_NAME } from './place.ts';
import { startProviderStandIn } from './provider-stand-in.ts';
import {
  applyYaml,
  BASE_IMAGE,
  deleteNamespace,
  execInPod,
  getObject,
  kubectl,
  makeNamespace,
  waitForCondition,
} from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

let namespace = '';

const SERVER = `
import { createServer } from 'node:http';
createServer((request, response) => {
  console.log('asked for ' + request.url);
  response.end('from the pod');
}).listen(8080, () => console.log('listening'));`;

function pod(name: string, script: string): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'main',
          image: BASE_IMAGE,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '--input-type=module', '--eval', script],
          readinessProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
        },
      ],
    },
  });
}

async function fetchInPod(url: string): Promise<string> {
  const script = `const a = await fetch(${JSON.stringify(url)}); process.stdout.write(await a.text())`;
  const { stdout, stderr } = await execInPod(namespace, 'caller', ['node', '--input-type=module', '--eval', script]);
  return stdout === '' ? stderr : stdout;
}

beforeAll(async () => {
  namespace = await makeNamespace();
  await applyYaml(pod('server', SERVER));
  await applyYaml(pod('caller', 'setInterval(() => {}, 1e6)'));
  await applyYaml(
    stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'front', namespace },
      spec: { selector: { app: 'server' }, ports: [{ port: 80, targetPort: 8080 }] },
    }),
  );
  await waitForCondition(namespace, 'pod/server', 'condition=Ready');
  await waitForCondition(namespace, 'pod/caller', 'condition=Ready');
});

afterAll(() => deleteNamespace(namespace));

test('the API server and the node are of the version that go.mod pins', async () => {
  const pinned = await partVersion('kubernetes');
  expect(JSON.parse(await kubectl(['get', '--raw=/version']))).toMatchObject({ gitVersion: pinned });
  expect(await getObject(['node', NODE_NAME])).toMatchObject({ status: { nodeInfo: { kubeletVersion: pinned } } });
});

test('a pod reaches another one by the name of its service', async () => {
  expect(await fetchInPod(`http://front.${namespace}.svc.cluster.local/a`)).toBe('from the pod');
});

test('what a pod writes is read by kubectl logs', async () => {
  await fetchInPod(`http://front.${namespace}/logged`);
  expect(await kubectl(['logs', 'server', `--namespace=${namespace}`])).toContain('asked for /logged');
});

test('a name of the world is unknown until a stand-in has it', async () => {
  expect(await fetchInPod('https://api.anthropic.com/')).toContain('ENOTFOUND');
});

test('a stand-in is reached under the real name, and with its own authority only', async () => {
  const provider = await startProviderStandIn({ hosts: ['api.anthropic.com'] });
  const ask = (ca: string): string => `import { get } from 'node:https';
    get('https://api.anthropic.com/v1/models', { ca: ${ca} }, (answer) => console.log('answered'))
      .on('error', (error) => console.log(error.code));`;
  const run = (script: string) => execInPod(namespace, 'caller', ['node', '--input-type=module', '--eval', script]);
  try {
    await waitFor('the name', async () => {
      const { status } = await execInPod(namespace, 'caller', ['getent', 'hosts', 'api.anthropic.com']);
      return status === 0 ? true : null;
    });
    expect((await run(ask(JSON.stringify(provider.authority.root)))).stdout).toBe('answered\n');
    expect((await run(ask('undefined'))).stdout).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE\n');
    expect(provider.received.map(({ host, target }) => [host, target])).toEqual([['api.anthropic.com', '/v1/models']]);
  } finally {
    await provider.stop();
  }
});
