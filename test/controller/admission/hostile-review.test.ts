import { describe, expect, it } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { reviewAdmission, reviewOutcome } from '#controller/admission/review.ts';
import { admit, applyPatch, makeContext, makePod, makeReview, messageOf, patchOf, submit } from './fixture.ts';

/** A list in a list in a list, by text: no recursion builds it. */
const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

describe('a hostile review', () => {
  it('of unknown fields nested 50,000 deep is guarded, and they survive', () => {
    const pod = { ...makePod({ future: nested(50_000) }), other: nested(50_000) };
    const reviewed = submit(pod);
    expect(reviewed.decision).toBe('injected');
    expect(patchOf(reviewed).every(({ path }) => !path.startsWith('/spec/future') && !path.startsWith('/other'))).toBe(
      true,
    );
  });

  it('with something nested deep inside our own container is put right without following it', () => {
    const pod = admit(makePod());
    const [init, sidecar] = pod.spec?.initContainers ?? [];
    const changed = {
      ...pod,
      spec: { ...pod.spec, initContainers: [init, { ...sidecar, env: nested(50_000), junk: nested(50_000) }] },
    };
    expect(reviewAdmission(makeReview(changed), makeContext()).review.response.allowed).toBe(false);
    const junk = { ...pod, spec: { ...pod.spec, initContainers: [init, { ...sidecar, junk: nested(50_000) }] } };
    expect(patchOf(submit(junk))).toEqual([{ op: 'remove', path: '/spec/initContainers/1/junk' }]);
    expect(reviewOutcome(makeReview(junk), makeContext()).rules).toEqual(['ADM-19']);
  });

  it('with 1 MB of managedFields has a patch of the same size as without', () => {
    const managedFields = Array.from({ length: 5_000 }, (_, i) => ({
      manager: `m${i}`,
      fieldsV1: { 'f:spec': { [`f:${'x'.repeat(150)}${i}`]: {} } },
    }));
    const pod = makePod();
    const heavy = { ...pod, metadata: { ...pod.metadata, managedFields } };
    expect(patchOf(submit(heavy, {}, { uid: 'u' }))).toEqual(patchOf(submit(pod, {}, { uid: 'u' })));
  });

  it('of 16,384 variables is guarded, one more is denied', () => {
    const env = Array.from({ length: LIMIT.admissionListEntries }, (_, i) => ({ name: `V${i}`, value: 'x' }));
    expect(submit(makePod({}, { env: env.slice(0, 16_000) })).decision).toBe('injected');
    expect(submit(makePod({}, { env: [...env, { name: 'ONE', value: 'x' }] })).rules).toEqual(['B-27']);
  });

  it('of a million faults names a few and says that there are more', () => {
    const containers = Array.from({ length: 2_000 }, (_, i) => ({
      name: `c${i}`,
      image: 'x',
      securityContext: { privileged: true },
    }));
    const message = messageOf(submit(makePod({ containers })));
    expect(message.split('\n')).toHaveLength(LIMIT.admissionFaults + 1);
    expect(message).toContain('and 1984 more.');
    expect(
      messageOf(submit(makePod({ containers: Array.from({ length: 16_000 }, () => 7) }))).split('\n'),
    ).toHaveLength(LIMIT.admissionFaults);
  });

  it('with keys of Object.prototype is judged by its own fields only', () => {
    const pod = JSON.parse(
      JSON.stringify(makePod()).replace(
        '"spec":{',
        '"spec":{"__proto__":{"hostNetwork":true,"containers":[]},"constructor":{"x":1},',
      ),
    );
    const reviewed = submit(pod);
    expect(reviewed.decision).toBe('injected');
    const made = applyPatch(pod, patchOf(reviewed)) as { spec: Record<string, unknown> };
    expect(Object.hasOwn(made.spec, '__proto__')).toBe(true);
    expect(Object.keys(made.spec)).toContain('constructor');
  });

  it('with a label or annotation map full of keys of Object.prototype keeps them', () => {
    const labels = JSON.parse('{"__proto__":"x","constructor":"y","lazaret.dev/phi":"true"}');
    const annotations = JSON.parse('{"__proto__":"x","toString":"y"}');
    const made = admit({ ...makePod(), metadata: { labels, annotations } });
    expect(Object.entries(made.metadata?.labels ?? {})).toEqual(Object.entries(labels));
    expect(Object.entries(made.metadata?.annotations ?? {})).toEqual(
      expect.arrayContaining(Object.entries(annotations)),
    );
  });

  it('whose PHI label is inherited is not in scope by it', () => {
    const labels = JSON.parse('{"__proto__":{"lazaret.dev/phi":"true"}}');
    expect(submit({ ...makePod(), metadata: { labels } }).rules).toEqual(['B-27']);
  });

  it('with wrong types anywhere in the request is answered', () => {
    const good = makeReview(makePod()).request;
    for (const change of [
      { uid: 7 },
      { uid: '' },
      { uid: 'x'.repeat(300) },
      { resource: 'pods' },
      { resource: {} },
      { operation: 1 },
    ]) {
      const reviewed = reviewAdmission(
        { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { ...good, ...change } },
        makeContext(),
      );
      expect(reviewed.review.response.allowed).toBe(false);
      expect(reviewed.rules).toEqual(['ADM-17']);
    }
    for (const change of [{ object: null }, { object: [] }, { object: 'x' }])
      expect(submit(makePod(), {}, change).rules).toEqual(['B-27']);
    for (const change of [{ userInfo: [] }, { namespace: 7 }, { dryRun: 'true' }, { oldObject: 7 }, { options: 'x' }])
      expect(submit(makePod(), {}, change).decision).toBe('injected');
  });

  it('that names a kind but no resource is judged by its kind', () => {
    const of = (kind: unknown) => submit(makePod({ hostNetwork: true }), {}, { resource: undefined, kind }).rules;
    expect(of({ group: '', version: 'v1', kind: 'Pod' })).toEqual(['B-06']);
    for (const kind of [undefined, { kind: 'Gadget' }, { kind: 'constructor' }, 'Pod'])
      expect(of(kind)).toEqual(['ADM-17']);
  });

  it('tells nothing of values: neither of variables nor of annotations', () => {
    const secret = 'Maria Gonzalez 123-45-6789';
    const pod = makePod(
      { runtimeClassName: secret, hostAliases: [{ ip: secret, hostnames: [secret] }] },
      { name: secret, env: [{ name: 'HTTP_PROXY', value: secret }] },
    );
    const told = JSON.stringify(
      submit({
        ...pod,
        metadata: {
          labels: { 'lazaret.dev/phi': 'true' },
          annotations: { 'lazaret.dev/sidecar-cpu': secret, 'lazaret.dev/log-level': secret },
        },
      }).review,
    );
    expect(told).not.toContain('Gonzalez');
    expect(told).not.toContain('6789');
  });
});
