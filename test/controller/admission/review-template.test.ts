import { describe, expect, it } from 'vitest';
import { makePod, submit, warningsOf } from './fixture.ts';

const KINDS = [
  ['apps', 'deployments'],
  ['apps', 'statefulsets'],
  ['apps', 'daemonsets'],
  ['batch', 'jobs'],
  ['batch', 'cronjobs'],
] as const;

function workload(resource: string, template: unknown) {
  return resource === 'cronjobs' ? { spec: { jobTemplate: { spec: { template } } } } : { spec: { template } };
}

function review(group: string, resource: string, template: unknown, request = {}) {
  return submit(workload(resource, template), {}, { resource: { group, version: 'v1', resource }, ...request });
}

describe.each(KINDS)('a template of %s/%s', (group, resource) => {
  const path = resource === 'cronjobs' ? 'spec.jobTemplate.spec.template' : 'spec.template';

  it('is never denied, but its author hears what its pods will meet, with the field in the workload', () => {
    const reviewed = review(group, resource, makePod({ hostNetwork: true }));
    expect(reviewed.review.response.allowed).toBe(true);
    expect(warningsOf(reviewed)[0]).toContain(`B-06 ${path}.spec.hostNetwork:`);
  });

  it('gets no patch and no warning when its pods will be guarded', () => {
    const reviewed = review(group, resource, makePod());
    expect(reviewed.review.response).toEqual({ uid: expect.any(String), allowed: true });
    expect(reviewed.decision).toBe('warned');
  });

  it('hears of it on an update too, and not of what is not ours', () => {
    expect(warningsOf(review(group, resource, makePod({ hostPID: true }), { operation: 'UPDATE' }))).toHaveLength(1);
    expect(
      review(group, resource, { ...makePod({ hostPID: true }), metadata: {} }).review.response.warnings,
    ).toBeUndefined();
    expect(review(group, resource, makePod({ hostPID: true }), { operation: 'DELETE' }).decision).toBe('not-ours');
    expect(
      review(group, resource, makePod({ hostPID: true }), { subResource: 'scale', operation: 'UPDATE' }).decision,
    ).toBe('not-ours');
  });
});

describe('any template', () => {
  it('hears of wrong labels, annotations and types', () => {
    const of = (template: unknown) => warningsOf(review('apps', 'deployments', template)).join();
    expect(of({ ...makePod(), metadata: { labels: { 'lazaret.dev/phi': 'yes' } } })).toContain(
      'ADM-22 spec.template.metadata.labels["lazaret.dev/phi"]',
    );
    expect(
      of({
        ...makePod(),
        metadata: { labels: { 'lazaret.dev/phi': 'true' }, annotations: { 'lazaret.dev/sidecar-cpu': '99' } },
      }),
    ).toContain('ADM-24 spec.template.metadata.annotations');
    expect(of(makePod({ containers: 'x' }))).toContain('B-27 spec.template.spec.containers');
  });

  it('hears that a PHI label on the workload itself guards nothing', () => {
    const template = { ...makePod(), metadata: {} };
    const labelled = { ...workload('deployments', template), metadata: { labels: { 'lazaret.dev/phi': 'true' } } };
    const reviewed = submit(labelled, {}, { resource: { group: 'apps', version: 'v1', resource: 'deployments' } });
    expect(warningsOf(reviewed)[0]).toContain('write the label in spec.template.metadata.labels');
  });

  it('that is missing or no object is let through', () => {
    for (const template of [null, undefined, [], 'x'])
      expect(review('apps', 'deployments', template).review.response.allowed).toBe(true);
  });

  it('gets warnings of at most 256 characters', () => {
    const warnings = warningsOf(
      review(
        'apps',
        'deployments',
        makePod(
          { os: { name: 'windows' }, hostNetwork: true, dnsPolicy: 'None' },
          { securityContext: { privileged: true } },
        ),
      ),
    );
    expect(warnings).toHaveLength(4);
    for (const text of warnings) expect(text.length).toBeLessThanOrEqual(256);
  });
});
