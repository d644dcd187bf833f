import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LABEL } from '#contract/labels.ts';
import { findExemptions } from '#controller/admission/exemption.ts';
import { isGuarded } from '#controller/admission/is-guarded.ts';
import { ownField } from '#controller/admission/json.ts';
import type { Container, Pod } from '#controller/admission/pod.ts';
import { isPod } from '#controller/admission/pod-shape.ts';
import { reviewAdmission, reviewOutcome } from '#controller/admission/review.ts';
import { clean, pods } from '#test/controller/admission/pod-arbitrary.ts';
import { applyPatch, makeContext, makeReview, NOW, patchOf, type World } from '#test/controller/admission/fixture.ts';

const worlds = fc.constantFrom<World>(
  {},
  { namespace: { labels: { [LABEL.guard]: 'all' } } },
  { exempt: ['B-04', 'B-38', 'B-05'] },
  {
    values: {
      admission: { overlayPaths: ['/etc/ssl/cert.pem'], mesh: ['istio-proxy'], extraRootsConfigMap: { name: 'r' } },
    },
  },
);

/** What we own of an application container; the rest must be what it was. */
function strip(container: Container): unknown {
  const { env: _env, volumeMounts: _mounts, securityContext, ...rest } = container;
  const { capabilities, allowPrivilegeEscalation: _escalation, ...other } = securityContext ?? {};
  const { drop: _drop, ...otherCapabilities } = capabilities ?? {};
  return { ...rest, securityContext: other, capabilities: otherCapabilities };
}

function authors(pod: Pod): readonly unknown[] {
  const init = (pod.spec?.initContainers ?? []).filter(
    ({ name }) => name !== 'lazaret-init' && name !== 'lazaret-sidecar',
  );
  return [...init, ...(pod.spec?.containers ?? [])].map(strip);
}

/** Every field of the first that the second lost or changed, but for those that we own. */
function lost(before: unknown, after: unknown, path = ''): readonly string[] {
  if (typeof before !== 'object' || before === null) return Object.is(before, after) ? [] : [path];
  if (typeof after !== 'object' || after === null) return [path];
  const own: readonly string[] =
    path === ''
      ? ['spec', 'metadata']
      : path === '/spec'
        ? ['initContainers', 'containers', 'volumes']
        : path === '/metadata'
          ? ['annotations']
          : [];
  return Object.entries(before).flatMap(([field, value]) => {
    if (own.includes(field) && path !== '') return [];
    return lost(value, ownField(after as Record<string, unknown>, field), `${path}/${field}`);
  });
}

describe('any pod', () => {
  it('is guarded completely, not ours, or denied with a rule; and a second call finds nothing to do', () => {
    const seen = { injected: 0, denied: 0 };
    fc.assert(
      fc.property(pods, worlds, (object, world) => {
        const context = makeContext(world);
        const reviewed = reviewAdmission(makeReview(object), context);
        const { response } = reviewed.review;
        if (!response.allowed) {
          seen.denied += 1;
          expect(reviewed.rules.length).toBeGreaterThan(0);
          expect(reviewed.rules).not.toContain('ADM-39');
          return;
        }
        if (reviewed.decision === 'not-ours') {
          expect(patchOf(reviewed)).toEqual([]);
          return;
        }
        seen.injected += 1;
        const made = applyPatch(object, patchOf(reviewed));
        if (!isPod(made) || !isPod(object)) throw new Error('no pod');
        const exemptions = findExemptions(context.exemptions, 'phi', made, NOW);
        expect(isGuarded(made, { ...context, exemptions })).toBe(true);
        expect(reviewOutcome(makeReview(made), context).review.response.allowed).toBe(true);
        expect(patchOf(reviewAdmission(makeReview(made), { ...context, now: NOW + 5_000 }))).toEqual([]);
        expect(authors(made)).toEqual(authors(object));
        expect(lost(object, made)).toEqual([]);
      }),
      { numRuns: 400, seed: 7 },
    );
    expect(seen.injected).toBeGreaterThan(50);
    expect(seen.denied).toBeGreaterThan(50);
  });

  it('gets the same answer to the same review, byte for byte, whatever the order of its fields', () => {
    fc.assert(
      fc.property(pods, (object) => {
        const review = makeReview(object);
        const turned = {
          ...review,
          request: { ...review.request, object: Object.fromEntries(Object.entries(object).reverse()) },
        };
        const answer = JSON.stringify(reviewAdmission(review, makeContext()).review);
        expect(JSON.stringify(reviewAdmission(clean(review), makeContext()).review)).toBe(answer);
        const other = reviewAdmission(turned, makeContext());
        expect(other.review.response.allowed).toBe(JSON.parse(answer).response.allowed);
      }),
      { numRuns: 100 },
    );
  });
});

describe('any JSON', () => {
  const object = fc.oneof(
    fc.jsonValue({ maxDepth: 5 }),
    fc.record({
      metadata: fc.constant({ labels: { [LABEL.phi]: 'true' } }),
      spec: fc.dictionary(
        fc.constantFrom(
          'containers',
          'initContainers',
          'volumes',
          'securityContext',
          'hostNetwork',
          'dnsConfig',
          'tolerations',
        ),
        fc.jsonValue({ maxDepth: 3 }),
      ),
    }),
  );

  it('as object of a review is answered, and what is let through is guarded', () => {
    fc.assert(
      fc.property(object, (value) => {
        const reviewed = reviewAdmission(makeReview(clean(value)), makeContext());
        expect(reviewed.rules).not.toContain('ADM-39');
        if (reviewed.decision !== 'injected') return;
        const made = applyPatch(clean(value), patchOf(reviewed));
        expect(isPod(made) && isGuarded(made, { ...makeContext(), exemptions: new Map() })).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('as a whole review, or as any part of one, is answered and never thrown at', () => {
    const field = fc.constantFrom(
      'uid',
      'resource',
      'operation',
      'object',
      'userInfo',
      'namespace',
      'subResource',
      'dryRun',
    );
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), field, (value, name) => {
        expect(reviewAdmission(value, makeContext()).review.response.allowed).toBe(false);
        const review = makeReview({ metadata: {} });
        expect(
          typeof reviewAdmission({ ...review, request: { ...review.request, [name]: value } }, makeContext()).review
            .response.allowed,
        ).toBe('boolean');
        expect(
          typeof reviewOutcome({ ...review, request: { ...review.request, [name]: value } }, makeContext()).review
            .response.allowed,
        ).toBe('boolean');
      }),
      { numRuns: 300 },
    );
  });
});
