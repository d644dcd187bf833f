import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGuarded, readIdentity } from '#controller/admission/is-guarded.ts';
import type { Container, Pod } from '#controller/admission/pod.ts';
import { isPod } from '#controller/admission/pod-shape.ts';
import { reviewAdmission, reviewOutcome } from '#controller/admission/review.ts';
import { admit, applyPatch, makeContext, makePod, makeReview, patchOf } from '#test/controller/admission/fixture.ts';

// Another mutating webhook runs after ours. Whatever it does, the pod ends guarded or denied.

const GUARDED = admit(
  makePod(
    { initContainers: [{ name: 'migrate', image: 'm:1' }], volumes: [{ name: 'data', emptyDir: {} }] },
    { env: [{ name: 'A', value: '1' }], volumeMounts: [{ name: 'data', mountPath: '/data' }] },
  ),
);
const TERMS = { ...makeContext(), exemptions: new Map<string, string>() };

type Step = string | number;
const PLACES = listPlaces(GUARDED, []);

/** Every place inside the specification and the annotations. */
function listPlaces(value: unknown, path: readonly Step[]): readonly (readonly Step[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Array.isArray(value)
    ? value.map((item, i) => listPlaces(item, [...path, i]))
    : Object.entries(value).map(([field, item]) => listPlaces(item, [...path, field]));
  return [path, ...inner.flat()].filter(
    (place) => place[0] === undefined || place[0] === 'spec' || (place[0] === 'metadata' && place[1] !== 'labels'),
  );
}

type Change = {
  readonly at: readonly Step[];
  readonly how: 'remove' | 'replace' | 'duplicate' | 'reverse';
  readonly value: unknown;
};

const changes: fc.Arbitrary<Change> = fc.record({
  at: fc.constantFrom(...PLACES.filter((place) => place.length > 1)),
  how: fc.constantFrom('remove' as const, 'replace' as const, 'duplicate' as const, 'reverse' as const),
  value: fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('Always', 'evil:1', 0, 30_000, true, false, [], {}, null),
  ),
});

function tamper(pod: unknown, { at, how, value }: Change): unknown {
  const root: unknown = JSON.parse(JSON.stringify(pod));
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

/** The least that must be true, said without the product's own code. */
function holds(pod: Pod): void {
  const [init, sidecar, ...rest] = pod.spec?.initContainers ?? [];
  const identity = readIdentity(pod);
  expect([init?.name, sidecar?.name, sidecar?.restartPolicy]).toEqual(['lazaret-init', 'lazaret-sidecar', 'Always']);
  expect([init?.image, sidecar?.image]).toEqual(['lazaret/init:0.1.0', 'lazaret/sidecar:0.1.0']);
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
    expect(container.securityContext?.capabilities?.drop).toEqual(
      expect.arrayContaining(['NET_ADMIN', 'NET_RAW', 'SETGID', 'SETUID']),
    );
    expect(container.securityContext?.runAsUser === identity?.uid && identity !== null).toBe(false);
    for (const mount of container.volumeMounts ?? [])
      expect(['lazaret-ca', 'lazaret-token', 'lazaret-settings', 'lazaret-spool']).not.toContain(mount.name);
  }
}

describe('a pod that another webhook changed after us', () => {
  it('ends guarded or denied when we are called again', () => {
    const seen = { repaired: 0, denied: 0 };
    fc.assert(
      fc.property(fc.array(changes, { minLength: 1, maxLength: 4 }), (list) => {
        const changed = list.reduce(tamper, GUARDED);
        const reviewed = reviewAdmission(makeReview(changed), makeContext());
        expect(reviewed.rules).not.toContain('ADM-39');
        if (!reviewed.review.response.allowed) {
          seen.denied += 1;
          return;
        }
        seen.repaired += 1;
        const made = applyPatch(changed, patchOf(reviewed));
        if (!isPod(made)) throw new Error('no pod');
        expect(isGuarded(made, TERMS)).toBe(true);
        holds(made);
      }),
      { numRuns: 400 },
    );
    expect(seen.repaired).toBeGreaterThan(20);
    expect(seen.denied).toBeGreaterThan(20);
  });

  it('is denied by the validating review unless it is still guarded', () => {
    const seen = { kept: 0, denied: 0 };
    fc.assert(
      fc.property(fc.array(changes, { minLength: 1, maxLength: 2 }), (list) => {
        const changed = list.reduce(tamper, GUARDED);
        const { response } = reviewOutcome(makeReview(changed), makeContext()).review;
        seen[response.allowed ? 'kept' : 'denied'] += 1;
        if (response.allowed) holds(changed as Pod);
      }),
      { numRuns: 400 },
    );
    expect(seen.kept).toBeGreaterThan(20);
    expect(seen.denied).toBeGreaterThan(20);
  });
});
