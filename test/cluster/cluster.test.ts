import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { makeTestAuthority } from '#test/fake/test-authority.ts';
import { buildPause, partVersion } from './build.ts';
import { programImage } from './image-archive.ts';
import { loadImage } from './load-image.ts';
import { registryOf } from './node.ts';
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
  PLACE,
  tryKubectl,
  waitForCondition,
} from './test-cluster.ts';
import { runCommand } from './run-command.ts';
import { waitFor } from './wait-for.ts';

let namespace = '';

const SERVER = `
import { createServer } from 'node:http';
createServer((request, response) => {
  console.log('asked for ' + request.url);
  response.end('from the pod');
}).listen(8080, () => console.log('listening'));`;

function pod(name: string, script: string, readinessProbe: object): string {
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
          readinessProbe: { ...readinessProbe, periodSeconds: 1 },
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
  await applyYaml(pod('server', SERVER, { tcpSocket: { port: 8080 } }));
  await applyYaml(pod('caller', 'setInterval(() => {}, 1e6)', { exec: { command: ['true'] } }));
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
  // The service was made a moment ago: the cluster's DNS and the node's rules hear of it at different times.
  await waitFor('the service by its name', async () =>
    (await fetchInPod(`http://front.${namespace}/`)) === 'from the pod' ? true : null,
  );
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
    get('https://api.anthropic.com/v1/models', { ca: ${ca} }, (answer) => { console.log('answered'); answer.destroy(); })
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

test('the API server reaches a service inside, as it must for webhooks', async () => {
  const path = `/api/v1/namespaces/${namespace}/services/front:80/proxy/by-the-api-server`;
  expect(await kubectl(['get', `--raw=${path}`])).toBe('from the pod');
});

test('the API server asks a webhook on this machine that is registered by its address', async () => {
  const authority = await makeTestAuthority();
  const { certificate, key } = await authority.issue(PLACE.hostAddress);
  const asked: string[] = [];
  const server = createServer({ cert: certificate, key }, (incoming, outgoing) => {
    void json(incoming).then((review) => {
      const { uid, name } = (review as { readonly request: { readonly uid: string; readonly name: string } }).request;
      asked.push(name);
      const response = { uid, allowed: false, status: { message: 'asked here' } };
      outgoing.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }));
    });
  });
  server.listen(0, PLACE.hostAddress);
  await once(server, 'listening');
  const url = `https://${PLACE.hostAddress}:${(server.address() as AddressInfo).port}/`;
  await applyYaml(webhook(url, authority.root));
  try {
    await waitFor('the webhook', async () => {
      const make = ['create', 'configmap', 'asked', `--namespace=${namespace}`, '--dry-run=server'];
      return (await tryKubectl(make)).stderr.includes('asked here') ? true : null;
    });
    expect(asked).toContain('asked');
  } finally {
    await kubectl(['delete', 'validatingwebhookconfiguration', namespace]);
    server.close();
    server.closeAllConnections();
  }
});

function webhook(url: string, root: string): string {
  return stringify({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: namespace },
    webhooks: [
      {
        name: 'test.lazaret.dev',
        clientConfig: { url, caBundle: Buffer.from(root).toString('base64') },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
      },
    ],
  });
}

test('a loaded image runs by its name and by its digest', async () => {
  const archive = await programImage(await buildPause(), 'pause', 'localhost/loaded:1');
  await loadImage(PLACE, archive);
  const digest = JSON.parse(await runCommand(['tar', '-xOf', archive, 'index.json'])).manifests[0].digest as string;
  for (const [name, image] of [
    ['by-name', 'localhost/loaded:1'],
    ['by-digest', `localhost/loaded@${digest}`],
  ] as const) {
    await kubectl(['run', name, `--namespace=${namespace}`, `--image=${image}`, '--image-pull-policy=Never']);
    await waitForCondition(namespace, `pod/${name}`, 'condition=Ready');
  }
});

test('the node pulls what this machine pushed to its registry', async () => {
  const archive = await programImage(await buildPause(), 'pause', 'localhost/loaded:1');
  const image = `${registryOf(PLACE)}/pulled:1`;
  const dir = await mkdtemp(join(tmpdir(), 'lazaret-push-'));
  const buildah = ['buildah', `--root=${dir}/root`, `--runroot=${dir}/run`, '--storage-driver=vfs'];
  try {
    const id = (await runCommand([...buildah, 'pull', '--quiet', `oci-archive:${archive}`])).trim();
    await runCommand([...buildah, 'push', '--quiet', '--tls-verify=false', id, `docker://${image}`]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  await kubectl(['run', 'pulled', `--namespace=${namespace}`, `--image=${image}`, '--image-pull-policy=Always']);
  await waitForCondition(namespace, 'pod/pulled', 'condition=Ready');
});
