import { describe, expect, it } from 'vitest';
import { readIdentity } from '#controller/admission/is-guarded.ts';
import type { Pod } from '#controller/admission/pod.ts';
import { reviewAdmission, reviewOutcome } from '#controller/admission/review.ts';
import { admit, applyPatch, fieldsOf, makeContext, makeDebugReview, makePod, patchOf } from './fixture.ts';

const withDebug = (pod: Pod, ...containers: readonly object[]) =>
  ({
    ...pod,
    spec: { ...pod.spec, ephemeralContainers: [...(pod.spec?.ephemeralContainers ?? []), ...containers] },
  }) as Pod;

describe('a debug container', () => {
  const pod = admit(makePod());

  it('is hardened and trusts the guard; a second call finds nothing to do', () => {
    const asked = withDebug(pod, { name: 'd', image: 'tools' });
    const made = applyPatch(asked, patchOf(reviewAdmission(makeDebugReview(asked, pod), makeContext()))) as Pod;
    expect(made.spec?.ephemeralContainers?.[0]).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['NET_ADMIN', 'NET_RAW', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID'] },
      },
      volumeMounts: [{ name: 'lazaret-trust', mountPath: '/run/lazaret/trust', readOnly: true }],
    });
    expect(patchOf(reviewAdmission(makeDebugReview(made, pod), makeContext()))).toEqual([]);
    expect(reviewOutcome(makeDebugReview(made, pod), makeContext()).review.response.allowed).toBe(true);
    expect(fieldsOf(reviewOutcome(makeDebugReview(asked, pod), makeContext()))).toContain(
      'ADM-19 spec.ephemeralContainers[0].securityContext.capabilities.drop',
    );
  });

  it('has a group of its own where nothing names its user or group, so that no image can carry the guard’s (B-03)', () => {
    const groupIn = (spec: Readonly<Record<string, unknown>>, own: object) => {
      const guarded = admit(makePod(spec));
      const asked = withDebug(guarded, { name: 'd', image: 'tools', ...own });
      const made = applyPatch(asked, patchOf(reviewAdmission(makeDebugReview(asked, guarded), makeContext()))) as Pod;
      return made.spec?.ephemeralContainers?.[0]?.securityContext?.runAsGroup;
    };
    expect(groupIn({}, {})).toBe(65_534);
    expect(groupIn({ securityContext: { runAsUser: 0 } }, {})).toBeUndefined();
    expect(groupIn({}, { securityContext: { runAsUser: 1000 } })).toBeUndefined();
    expect(groupIn({}, { securityContext: { runAsGroup: 7 } })).toBe(7);
  });

  it('whose group somebody took out again is denied (B-03)', () => {
    const asked = withDebug(pod, { name: 'd', image: 'tools' });
    const made = applyPatch(asked, patchOf(reviewAdmission(makeDebugReview(asked, pod), makeContext()))) as Pod;
    const [debug] = made.spec?.ephemeralContainers ?? [];
    const { runAsGroup: _, ...security } = debug?.securityContext ?? {};
    const stripped = withDebug(pod, { ...debug, securityContext: security });
    expect(fieldsOf(reviewOutcome(makeDebugReview(stripped, pod), makeContext()))).toEqual([
      'B-03 spec.ephemeralContainers[0].securityContext',
    ]);
  });

  it('of an earlier time is left alone: Kubernetes does not allow it to change', () => {
    const old = withDebug(pod, {
      name: 'old',
      image: 'tools',
      securityContext: { capabilities: { add: ['NET_ADMIN'] } },
    });
    const asked = withDebug(old, { name: 'new', image: 'tools' });
    const paths = patchOf(reviewAdmission(makeDebugReview(asked, old), makeContext())).map(({ path }) => path);
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) expect(path).toMatch(/^\/spec\/ephemeralContainers\/1\//);
  });

  it('under the uid or gid of this pod’s guard is denied', () => {
    const identity = readIdentity(pod);
    const ask = (securityContext: object) =>
      fieldsOf(reviewAdmission(makeDebugReview(withDebug(pod, { name: 'd', securityContext }), pod), makeContext()));
    expect(ask({ runAsUser: identity?.uid })).toEqual(['B-01 spec.ephemeralContainers[0].securityContext.runAsUser']);
    expect(ask({ runAsGroup: identity?.gid })).toEqual(['B-02 spec.ephemeralContainers[0].securityContext.runAsGroup']);
    expect(ask({ runAsUser: 0 })).toEqual([]);
  });

  it('covers no file of its image, because Kubernetes allows it no subPath', () => {
    const world = { values: { admission: { overlayPaths: ['/etc/ssl/cert.pem'] } } };
    const guarded = admit(makePod(), world);
    const asked = withDebug(guarded, { name: 'd', image: 'tools' });
    expect(JSON.stringify(patchOf(reviewAdmission(makeDebugReview(asked, guarded), makeContext(world))))).not.toContain(
      'subPath',
    );
  });

  it('in a pod of another release’s guard is judged by itself', () => {
    const other = admit(makePod(), { values: { sidecar: { image: { tag: '0.0.9' } } } });
    const asked = withDebug(other, { name: 'd', image: 'tools' });
    const made = applyPatch(asked, patchOf(reviewAdmission(makeDebugReview(asked, other), makeContext())));
    expect(reviewOutcome(makeDebugReview(made, other), makeContext()).review.response.allowed).toBe(true);
  });

  it('in a pod that is not ours is let through untouched', () => {
    const free = { ...makePod(), metadata: { name: 'x' } } as Pod;
    expect(reviewAdmission(makeDebugReview(withDebug(free, { name: 'd' }), free), makeContext()).decision).toBe(
      'not-ours',
    );
  });
});
