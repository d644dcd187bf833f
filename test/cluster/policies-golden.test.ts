import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { LABEL } from '#contract/labels.ts';
import { policyParameters } from '#controller/admission/policy-parameters.ts';
import { admit, makePod, makeSettings, type World } from '#test/controller/admission/fixture.ts';
import { type KubeAnswer, messageOf } from './kube-client.ts';
import { kubeconfigOfTests, PoliciesBench } from './policies-bench.ts';

interface Golden extends World {
  readonly name: string;
  readonly expect: 'injected' | 'denied' | 'not-ours';
  readonly rules?: readonly string[];
  readonly values?: object;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Golden pods that the API server refuses by itself, before or beside any policy. */
const REFUSED_ANYWAY: readonly string[] = [
  // No objects that it takes for pods.
  'containers that are no list',
  'hostNetwork as text',
  'a container of null',
  'no containers',
  'two containers of one name',
  'listed hostAliases and nameservers',
  'CSI, image, nfs, iscsi and a generic ephemeral volume',
  // Not allowed in this form: host processes without hostNetwork, mirror pods without a node, an unmasked /proc without a user namespace.
  'Windows by host process',
  "a static pod's copy",
  'procMount Unmasked',
  // Mounts of volumes that nobody declares.
  'a mount of our key volume',
  'our trust volume mounted writable',
  // Pod Security itself.
  'a namespace that enforces restricted',
];

const folder = new URL('../controller/admission/pods/', import.meta.url);
const golden: readonly Golden[] = readdirSync(folder).flatMap((file) =>
  parse(readFileSync(new URL(file, folder), 'utf8')),
);
const byValues = Map.groupBy(golden, ({ values }) => JSON.stringify(values ?? {}));

let bench: PoliciesBench;
const RUNTIME_CLASSES = '/apis/node.k8s.io/v1/runtimeclasses';
beforeAll(async () => {
  bench = new PoliciesBench(kubeconfigOfTests());
  // The API server looks them up by itself.
  for (const name of ['crun', 'gvisor', 'kata'])
    await bench.client.call({ method: 'POST', path: RUNTIME_CLASSES, body: { metadata: { name }, handler: name } });
  // Before the policies, which would refuse a mistyped label already here.
  const namespaces = new Map(golden.map(namespaceOf).map(({ name, labels }) => [name, labels]));
  for (const [name, labels] of namespaces) if (name.startsWith('golden-')) await bench.namespace(name, labels, ['web']);
});
afterAll(async () => {
  for (const name of ['crun', 'gvisor', 'kata'])
    await bench.client.call({ method: 'DELETE', path: `${RUNTIME_CLASSES}/${name}` });
  await bench.close();
});

function podOf({ metadata, spec }: Golden) {
  const pod = makePod();
  return { ...pod, metadata: { ...pod.metadata, ...metadata }, spec };
}

/** One namespace for each set of labels and exemptions, so that all golden pods are asked for side by side. */
function namespaceOf({ namespace, exempt }: Golden) {
  const labels = namespace?.labels ?? { [LABEL.guard]: 'labelled' };
  const hash = createHash('sha256')
    .update(JSON.stringify([labels, exempt ?? []]))
    .digest('hex');
  return { name: namespace?.name ?? `golden-${hash.slice(0, 12)}`, labels };
}

describe.each([...byValues])('under the values %s', (text, pods) => {
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
  const ask = (pod: Golden, object: unknown): Promise<KubeAnswer> => bench.createPod(namespaceOf(pod).name, object);

  beforeAll(async () => {
    await bench.install(values, settings);
    const exempt = pods.flatMap((pod) => (pod.exempt ?? []).map((rule) => [`${namespaceOf(pod).name}.${rule}`, '*']));
    await bench.setParameters({ ...policyParameters(settings, {}), ...Object.fromEntries(exempt) });
  });

  it.for(pods.filter(({ name }) => REFUSED_ANYWAY.includes(name)).map((pod) => [pod.name, pod] as const))(
    '%s: is refused by the API server itself',
    async ([, pod]) => {
      const answer = await ask(pod, podOf(pod));
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(messageOf(answer)).not.toContain('ValidatingAdmissionPolicy');
    },
  );

  it.for(of('denied'))('%s: is denied under its rule', async ([, pod]) => {
    const answer = await ask(pod, podOf(pod));
    expect(messageOf(answer)).toMatch(new RegExp(`denied request: (${pod.rules?.join('|')}) [\\w.[\\]"/-]+[,:]`));
    expect(answer.status).toBe(403);
  });

  it.for(of('not-ours'))('%s: is let through', async ([, pod]) => {
    const answer = await ask(pod, podOf(pod));
    expect([answer.status, messageOf(answer)]).toEqual([201, '']);
  });

  it.for(of('injected'))('%s: is let through guarded, and denied as its author wrote it', async ([, pod]) => {
    const guarded = await ask(pod, admit(podOf(pod), world(pod)));
    expect([guarded.status, messageOf(guarded)]).toEqual([201, '']);
    const bare = await ask(pod, podOf(pod));
    expect(messageOf(bare)).toContain('denied request: ADM-19 spec.initContainers[0]');
    expect(bare.status).toBe(403);
  });
});
