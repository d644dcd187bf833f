import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { LABEL } from '#contract/labels.ts';
import { makePod, type World } from '#test/controller/admission/fixture.ts';

/** A pod of test/controller/admission/pods, and what becomes of it. */
export interface Golden extends World {
  readonly name: string;
  readonly expect: 'injected' | 'denied' | 'not-ours';
  readonly rules?: readonly string[];
  readonly values?: object;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Golden pods that the API server refuses by itself, before or beside any policy. */
export const REFUSED_ANYWAY: readonly string[] = [
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

/** Names that the API server looks up by itself before it takes a pod of the golden ones. */
export const RUNTIME_CLASSES = ['crun', 'gvisor', 'kata'];

const folder = new URL('../controller/admission/pods/', import.meta.url);

export const GOLDEN: readonly Golden[] = readdirSync(folder).flatMap((file) =>
  parse(readFileSync(new URL(file, folder), 'utf8')),
);

/** One after another, because a cluster has one chart: the values as JSON, and their pods. */
export const GOLDEN_BY_VALUES = Map.groupBy(GOLDEN, ({ values }) => JSON.stringify(values ?? {}));

export function goldenPod({ metadata, spec }: Golden) {
  const pod = makePod();
  return { ...pod, metadata: { ...pod.metadata, ...metadata }, spec };
}

/** One namespace for each set of labels and exemptions, so that all golden pods are asked for side by side. */
export function goldenNamespace({ namespace, exempt }: Golden) {
  const labels = namespace?.labels ?? { [LABEL.guard]: 'labelled' };
  const hash = createHash('sha256')
    .update(JSON.stringify([labels, exempt ?? []]))
    .digest('hex');
  return { name: namespace?.name ?? `golden-${hash.slice(0, 12)}`, labels, exempt: exempt ?? [] };
}
