import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policyParameters } from '#controller/admission/policy-parameters.ts';
import { admit, makeSettings, type World } from '#test/controller/admission/fixture.ts';
import {
  type Golden,
  GOLDEN,
  GOLDEN_BY_VALUES,
  goldenNamespace,
  goldenPod,
  REFUSED_ANYWAY,
  RUNTIME_CLASSES,
} from './golden-pods.ts';
import { type KubeAnswer, messageOf } from './kube-client.ts';
import { kubeconfigOfTests, PoliciesBench } from './policies-bench.ts';

let bench: PoliciesBench;
const CLASSES = '/apis/node.k8s.io/v1/runtimeclasses';
beforeAll(async () => {
  bench = new PoliciesBench(kubeconfigOfTests());
  // The API server looks them up by itself.
  for (const name of RUNTIME_CLASSES)
    await bench.client.call({ method: 'POST', path: CLASSES, body: { metadata: { name }, handler: name } });
  // Before the policies, which would refuse a mistyped label already here.
  const namespaces = new Map(GOLDEN.map(goldenNamespace).map(({ name, labels }) => [name, labels]));
  for (const [name, labels] of namespaces) if (name.startsWith('golden-')) await bench.namespace(name, labels, ['web']);
});
afterAll(async () => {
  for (const name of RUNTIME_CLASSES) await bench.client.call({ method: 'DELETE', path: `${CLASSES}/${name}` });
  await bench.close();
});

describe.each([...GOLDEN_BY_VALUES])('under the values %s', (text, pods) => {
  const values: object = JSON.parse(text);
  const settings = makeSettings(values);
  const world = ({ namespace, exempt }: Golden): World => ({
    values,
    ...(namespace === undefined ? {} : { namespace }),
    ...(exempt === undefined ? {} : { exempt }),
  });
  const of = (kind: Golden['expect']) =>
    pods
      .filter((pod) => pod.expect === kind && !REFUSED_ANYWAY.includes(pod.name))
      .map((pod) => [pod.name, pod] as const);
  const ask = (pod: Golden, object: unknown): Promise<KubeAnswer> => bench.createPod(goldenNamespace(pod).name, object);

  beforeAll(async () => {
    await bench.install(values, settings);
    const exempt = pods.flatMap((pod) =>
      (pod.exempt ?? []).map((rule) => [`${goldenNamespace(pod).name}.${rule}`, '*']),
    );
    await bench.setParameters({ ...policyParameters(settings, {}), ...Object.fromEntries(exempt) });
  });

  it.for(pods.filter(({ name }) => REFUSED_ANYWAY.includes(name)).map((pod) => [pod.name, pod] as const))(
    '%s: is refused by the API server itself',
    async ([, pod]) => {
      const answer = await ask(pod, goldenPod(pod));
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(messageOf(answer)).not.toContain('ValidatingAdmissionPolicy');
    },
  );

  it.for(of('denied'))('%s: is denied under its rule', async ([, pod]) => {
    const answer = await ask(pod, goldenPod(pod));
    expect(messageOf(answer)).toMatch(new RegExp(`denied request: (${pod.rules?.join('|')}) [\\w.[\\]"/-]+[,:]`));
    expect(answer.status).toBe(403);
  });

  it.for(of('not-ours'))('%s: is let through', async ([, pod]) => {
    const answer = await ask(pod, goldenPod(pod));
    expect([answer.status, messageOf(answer)]).toEqual([201, '']);
  });

  it.for(of('injected'))('%s: is let through guarded, and denied as its author wrote it', async ([, pod]) => {
    const guarded = await ask(pod, admit(goldenPod(pod), world(pod)));
    expect([guarded.status, messageOf(guarded)]).toEqual([201, '']);
    const bare = await ask(pod, goldenPod(pod));
    expect(messageOf(bare)).toContain('denied request: ADM-19 spec.initContainers[0]');
    expect(bare.status).toBe(403);
  });
});
