import fc from 'fast-check';
import { expect } from 'vitest';
import { readIdentity } from '#controller/admission/is-guarded.ts';
import type { Container, Pod } from '#controller/admission/pod.ts';

/** Those of init and sidecar. */
const IMAGES = ['lazaret/init:0.1.0', 'lazaret/sidecar:0.1.0'];

type Step = string | number;

/** Every place inside the specification and the annotations. */
function listPlaces(value: unknown, path: readonly Step[] = []): readonly (readonly Step[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Array.isArray(value)
    ? value.map((item, i) => listPlaces(item, [...path, i]))
    : Object.entries(value).map(([field, item]) => listPlaces(item, [...path, field]));
  return [path, ...inner.flat()].filter(
    (place) => place[0] === undefined || place[0] === 'spec' || (place[0] === 'metadata' && place[1] !== 'labels'),
  );
}

/** What another webhook does to a pod: the place is one of those that the pod has. */
export type Change = {
  readonly place: number;
  readonly how: 'remove' | 'replace' | 'duplicate' | 'reverse';
  readonly value: unknown;
};

export const changes: fc.Arbitrary<Change> = fc.record({
  place: fc.nat(),
  how: fc.constantFrom('remove' as const, 'replace' as const, 'duplicate' as const, 'reverse' as const),
  value: fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('Always', 'evil:1', 0, 30_000, true, false, [], {}, null),
  ),
});

/** @returns a changed copy; the same where a change does not apply */
export function tamper(pod: unknown, { place, how, value }: Change): unknown {
  const root: unknown = JSON.parse(JSON.stringify(pod));
  const places = listPlaces(root).filter((path) => path.length > 1);
  const at = places[place % places.length] ?? [];
  let parent: unknown = root;
  for (const step of at.slice(0, -1)) {
    if (typeof parent !== 'object' || parent === null) return root;
    parent = (parent as Record<Step, unknown>)[step];
  }
  const last = at.at(-1) ?? '';
  if (typeof parent !== 'object' || parent === null) return root;
  const target = parent as Record<Step, unknown>;
  const list = Array.isArray(parent) ? parent : null;
  if (how === 'remove' && list !== null) list.splice(Number(last), 1);
  else if (how === 'remove') delete target[last];
  else if (how === 'replace') target[last] = value;
  else if (how === 'duplicate' && list !== null) list.push(list[Number(last)] ?? {});
  else if (how === 'reverse' && Array.isArray(target[last])) (target[last] as unknown[]).reverse();
  return root;
}

/**
 * The least that must be true of a guarded pod, said without the product's own code.
 * @throws as `expect` does
 */
export function expectGuarded(pod: Pod, images: readonly string[] = IMAGES): void {
  const [init, sidecar, ...rest] = pod.spec?.initContainers ?? [];
  const identity = readIdentity(pod);
  expect([init?.name, sidecar?.name, sidecar?.restartPolicy]).toEqual(['lazaret-init', 'lazaret-sidecar', 'Always']);
  expect([init?.image, sidecar?.image]).toEqual(images);
  for (const ours of [init, sidecar])
    for (const field of ['command', 'args', 'lifecycle', 'envFrom', 'workingDir'])
      expect(ours?.[field]).toBeUndefined();
  expect(init?.env?.find(({ name }) => name === 'LAZARET_UID')?.value).toBe(
    String(sidecar?.securityContext?.runAsUser),
  );
  expect(init?.env?.find(({ name }) => name === 'LAZARET_GID')?.value).toBe(
    String(sidecar?.securityContext?.runAsGroup),
  );
  expect(sidecar?.securityContext).toMatchObject({
    runAsNonRoot: true,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  const authors: readonly Container[] = [...rest, ...(pod.spec?.containers ?? [])];
  for (const container of authors) {
    expect(container.name ?? '').not.toMatch(/^lazaret-/);
    expect(container.securityContext?.allowPrivilegeEscalation).toBe(false);
    const drop = container.securityContext?.capabilities?.drop ?? [];
    if (!drop.includes('ALL'))
      expect(drop).toEqual(expect.arrayContaining(['NET_ADMIN', 'NET_RAW', 'SETGID', 'SETUID']));
    expect(container.securityContext?.runAsUser === identity?.uid && identity !== null).toBe(false);
    for (const mount of container.volumeMounts ?? [])
      expect(['lazaret-ca', 'lazaret-token', 'lazaret-settings', 'lazaret-spool']).not.toContain(mount.name);
  }
}
