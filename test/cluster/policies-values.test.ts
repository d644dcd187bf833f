import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LABEL } from '#contract/labels.ts';
import type { Pod } from '#controller/admission/pod.ts';
import { admit, makePod, makeSettings } from '#test/controller/admission/fixture.ts';
import { messageOf } from './kube-client.ts';
import { kubeconfigOfTests, PoliciesBench } from './policies-bench.ts';

// A release with every value that shapes a guarded pod: chart and controller must read them in the same way.

const digest = `sha256:${'a'.repeat(64)}`;
const values = {
  global: { imageRegistry: 'registry.example/team/' },
  sidecar: {
    image: { repository: 'guard/sidecar', tag: '', digest, pullPolicy: 'Always' },
    resources: { requests: { cpu: 0.1, memory: '134217728' }, limits: { cpu: '1500m', memory: '0.5Gi' } },
    bounds: { cpu: { min: '50m', max: 2 }, memory: { min: '192Mi', max: '1Gi' } },
    logLevel: 'warn',
    upstreamRoots: '-----BEGIN CERTIFICATE-----\ncosts $(1)\n-----END CERTIFICATE-----\n',
  },
  init: { image: { tag: '9', digest } },
  network: { resolvers: ['10.96.0.10', 'fd00::a'], udpAllowed: ['10.0.0.1:123', '10.1.0.0/16:514'] },
  egress: { proxy: 'http://proxy.example:3128' },
  admission: {
    extraRootsConfigMap: { name: 'corporate-roots', key: 'roots.pem' },
    overlayPaths: ['/etc/ssl/certs/ca-certificates.crt'],
    proxies: ['http://Proxy.example:80', 'https://other.example'],
    mesh: ['istio-ambient', 'istio-proxy'],
    hostAliases: ['DB.internal'],
  },
};
const inner = { ...values, sidecar: { ...values.sidecar, image: { ...values.sidecar.image, tag: '0.1.0' } } };

let bench: PoliciesBench;
beforeAll(async () => {
  bench = new PoliciesBench(kubeconfigOfTests());
  await bench.install(values, makeSettings(inner));
  await bench.namespace('values', { [LABEL.guard]: 'all' });
});
afterAll(() => bench.close());

const make = (spec: object = {}, app: object = {}, annotations: object = {}): Pod => {
  const pod = makePod({ ...spec }, { ...app });
  return admit(
    { ...pod, metadata: { ...pod.metadata, annotations } },
    { values: inner, namespace: { labels: { [LABEL.guard]: 'all' } } },
  );
};
const ask = async (pod: unknown): Promise<string> => {
  const answer = await bench.createPod('values', pod);
  return answer.status === 201 ? 'created' : messageOf(answer);
};

describe('policies of a release with all values', () => {
  it('accept the pods that its controller makes', async () => {
    expect(await ask(make())).toBe('created');
    expect(await ask(make({ hostAliases: [{ ip: '10.1.1.1', hostnames: ['db.internal'] }] }))).toBe('created');
    for (const value of ['http://proxy.example', 'HTTP://PROXY.example:80/', 'https://u:p@other.example:443/x'])
      expect(await ask(make({}, { env: [{ name: 'HTTP_PROXY', value }] })), value).toBe('created');
    const choices = {
      'lazaret.dev/sidecar-cpu': '0.0777',
      'lazaret.dev/sidecar-memory': '300M',
      'lazaret.dev/log-level': 'debug',
    };
    expect(await ask(make({}, {}, choices))).toBe('created');
  });

  it.each([
    ['roots of another ConfigMap', 'corporate-roots', 'my-roots', 'spec.volumes (lazaret-extra-roots)'],
    [
      'another proxy for the guard',
      'http://proxy.example:3128',
      'http://mine.example:3128',
      'spec.initContainers[1].env',
    ],
    ['another place for evidence', 'lazaret-collector.lazaret.svc', 'collector.mine.svc', 'spec.initContainers[1].env'],
    ['another source of policy', 'lazaret-controller.lazaret.svc', 'controller.mine.svc', 'spec.initContainers[1].env'],
    ['further UDP', '10.0.0.1:123', '0.0.0.0/0:53', 'spec.initContainers[0].env'],
    ['another resolver', 'fd00::a', 'fd00::b', 'spec.initContainers[0].env (LAZARET_RESOLVERS)'],
    ['another digest', 'a'.repeat(64), 'b'.repeat(64), 'spec.initContainers[0].image'],
    ['another registry', 'registry.example/team', 'registry.mine/team', 'spec.initContainers[0].image'],
    ['less memory', '512Mi', '256Mi', 'spec.initContainers[1].resources'],
    ['roots of its own for providers', 'costs', 'Costs', 'spec.initContainers[0].env (LAZARET_FILES)'],
  ])('deny %s', async (_, from, to, field) => {
    const changed: unknown = JSON.parse(JSON.stringify(make()).replaceAll(from, to));
    expect(await ask(changed)).toContain('ADM-19 ');
    expect(await ask(changed)).toContain(field);
  });
});
