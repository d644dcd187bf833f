import { describe, expect, it } from 'vitest';
import { findGaps, isGuarded } from '#controller/admission/is-guarded.ts';
import type { Container, Pod } from '#controller/admission/pod.ts';
import { isPod } from '#controller/admission/pod-shape.ts';
import { reviewOutcome } from '#controller/admission/review.ts';
import { admit, makeContext, makePod, makeReview, makeSettings } from './fixture.ts';

const pod = admit(makePod({ initContainers: [{ name: 'i', image: 'x' }] }));
const terms = { ...makeContext(), exemptions: new Map<string, string>() };
const gaps = (changed: unknown) => findGaps(changed as Pod, terms).map(({ id, field }) => `${id} ${field}`);
const withInit = (change: (containers: readonly Container[]) => readonly unknown[]) => ({
  ...pod,
  spec: { ...pod.spec, initContainers: change(pod.spec?.initContainers ?? []) },
});
const withApp = (fields: object) => ({
  ...pod,
  spec: { ...pod.spec, containers: [{ ...pod.spec?.containers?.[0], ...fields }] },
});

describe('isGuarded', () => {
  it('holds for what admission makes', () => {
    expect(gaps(pod)).toEqual([]);
    expect(isGuarded(pod, terms)).toBe(true);
  });

  it('fails for the pod as its author wrote it', () => {
    expect(isGuarded(makePod() as Pod, terms)).toBe(false);
    expect(isGuarded({}, terms)).toBe(false);
    expect(isGuarded({ metadata: null, spec: null }, terms)).toBe(false);
  });

  it('fails when any field of our containers is removed or changed', () => {
    for (const index of [0, 1]) {
      const ours: Container = pod.spec?.initContainers?.[index] ?? {};
      for (const field of Object.keys(ours)) {
        for (const value of [undefined, null, 'other', {}, []]) {
          if (JSON.stringify(value) === JSON.stringify(ours[field])) continue;
          const changed = withInit((list) =>
            list.map((container, i) => (i === index ? { ...container, [field]: value } : container)),
          );
          expect(isPod(changed) && isGuarded(changed, terms), `${index} ${field} ${JSON.stringify(value)}`).toBe(false);
        }
      }
      const added = withInit((list) =>
        list.map((container, i) => (i === index ? { ...container, lifecycle: { preStop: {} } } : container)),
      );
      expect(gaps(added)).toEqual([`ADM-19 spec.initContainers[${index}].lifecycle`]);
    }
  });

  it('fails when our containers are not the first two, or stand twice', () => {
    expect(isGuarded(withInit(([a, b, c]) => [c, a, b]) as Pod, terms)).toBe(false);
    expect(isGuarded(withInit(([a, b, c]) => [b, a, c]) as Pod, terms)).toBe(false);
    expect(gaps(withInit(([a, b, c]) => [a, b, c, b]))).toContain('ADM-19 spec.initContainers[3]');
  });

  it('fails when a volume of ours is missing, changed or stands twice', () => {
    const volumes = pod.spec?.volumes ?? [];
    for (const { name } of volumes) {
      expect(
        isGuarded({ ...pod, spec: { ...pod.spec, volumes: volumes.filter((volume) => volume.name !== name) } }, terms),
      ).toBe(false);
      expect(
        isGuarded(
          {
            ...pod,
            spec: {
              ...pod.spec,
              volumes: volumes.map((volume) =>
                volume.name === name ? { name, emptyDir: { medium: 'Memory' } } : volume,
              ),
            },
          },
          terms,
        ),
      ).toBe(false);
      expect(isGuarded({ ...pod, spec: { ...pod.spec, volumes: [...volumes, { name, emptyDir: {} }] } }, terms)).toBe(
        false,
      );
    }
  });

  it('fails when a container lost its hardening or its trust files', () => {
    expect(gaps(withApp({ securityContext: {} }))).toEqual([
      'ADM-19 spec.containers[0].securityContext.capabilities.drop',
      'ADM-19 spec.containers[0].securityContext.allowPrivilegeEscalation',
    ]);
    expect(gaps(withApp({ volumeMounts: [] }))).toEqual(['ADM-19 spec.containers[0].volumeMounts']);
    expect(
      gaps(
        withApp({ securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['CAP_ALL', 'all'] } } }),
      ),
    ).toEqual(['ADM-19 spec.containers[0].securityContext.capabilities.drop']);
  });

  it('fails when a rule is broken after all', () => {
    expect(gaps({ ...pod, spec: { ...pod.spec, hostNetwork: true } })).toEqual(['B-06 spec.hostNetwork']);
    expect(
      gaps(
        withApp({
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add: ['NET_RAW'] } },
        }),
      ),
    ).toEqual(['B-05 spec.containers[0].securityContext.capabilities.add[0]']);
  });

  it('fails for numbers that the controller never gives, and where the two containers do not agree', () => {
    for (const runAsUser of [0, 1_000, 19_999, 60_000, 64_646, 30_000.5, '30000']) {
      expect(
        isGuarded(
          withInit(([a, b, c]) => [a, { ...b, securityContext: { ...b?.securityContext, runAsUser } }, c]) as Pod,
          terms,
        ),
      ).toBe(false);
    }
    const other = pod.spec?.initContainers?.[1]?.securityContext?.runAsUser === 30_000 ? 30_001 : 30_000;
    expect(
      gaps(withInit(([a, b, c]) => [a, { ...b, securityContext: { ...b?.securityContext, runAsUser: other } }, c])),
    ).toEqual(['ADM-19 spec.initContainers[0].env']);
  });
});

describe('the validating review', () => {
  it('accepts the pods of another release’s replica while both run, and names the gap otherwise', () => {
    const previous = makeSettings({ sidecar: { image: { tag: '0.0.9' } } });
    const old = admit(makePod(), { values: { sidecar: { image: { tag: '0.0.9' } } } });
    const review = makeReview(old);
    expect(reviewOutcome(review, { ...makeContext(), previous: [previous] }).review.response.allowed).toBe(true);
    expect(reviewOutcome(review, makeContext()).review.response.status?.details.causes[0]?.field).toBe(
      'spec.initContainers[1].image',
    );
  });
});
