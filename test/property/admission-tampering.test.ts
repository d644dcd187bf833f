import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGuarded } from '#controller/admission/is-guarded.ts';
import type { Pod } from '#controller/admission/pod.ts';
import { isPod } from '#controller/admission/pod-shape.ts';
import { reviewAdmission, reviewOutcome } from '#controller/admission/review.ts';
import { admit, applyPatch, makeContext, makePod, makeReview, patchOf } from '#test/controller/admission/fixture.ts';
import { changes, expectGuarded, tamper } from '#test/controller/admission/tampering.ts';

// Another mutating webhook runs after ours. Whatever it does, the pod ends guarded or denied.

const GUARDED = admit(
  makePod(
    { initContainers: [{ name: 'migrate', image: 'm:1' }], volumes: [{ name: 'data', emptyDir: {} }] },
    { env: [{ name: 'A', value: '1' }], volumeMounts: [{ name: 'data', mountPath: '/data' }] },
  ),
);
const TERMS = { ...makeContext(), exemptions: new Map<string, string>() };

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
        expectGuarded(made);
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
        if (response.allowed) expectGuarded(changed as Pod);
      }),
      { numRuns: 400 },
    );
    expect(seen.kept).toBeGreaterThan(20);
    expect(seen.denied).toBeGreaterThan(20);
  });
});
