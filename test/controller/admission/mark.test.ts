import { describe, expect, it } from 'vitest';
import { deriveIdentity } from '#controller/admission/identity.ts';
import { readIdentity } from '#controller/admission/is-guarded.ts';
import { type MarkContext, readMark, writeMark } from '#controller/admission/mark.ts';
import { reviewAdmission } from '#controller/admission/review.ts';
import { admit, KEY, makeContext, makePod, makeReview, NOW, patchOf, submit } from './fixture.ts';

const IDENTITY = { uid: 31_234, gid: 45_678, chain: '0123456789abcdef0123456789abcdef' };
const BOUND: MarkContext = {
  namespace: 'phi',
  name: 'a',
  generateName: '',
  requester: 'me',
  dryRun: false,
  author: 'h',
  config: 'c',
};

describe('a mark', () => {
  const text = writeMark(KEY, IDENTITY, BOUND, NOW);

  it('gives back the identity for the same pod within 15 s', () => {
    for (const at of [NOW, NOW + 15_000, NOW - 2_000]) expect(readMark(KEY, text, BOUND, at)).toEqual(IDENTITY);
  });

  it('is worth nothing later, or from the future', () => {
    for (const at of [NOW + 15_001, NOW - 2_001, NOW + 3_600_000]) expect(readMark(KEY, text, BOUND, at)).toBeNull();
  });

  it('is worth nothing for another pod, requester, image, configuration, or after a dry run', () => {
    const others: Partial<MarkContext>[] = [
      { namespace: 'x' },
      { name: 'b' },
      { generateName: 'a-' },
      { requester: 'you' },
      { dryRun: true },
      { author: 'i' },
      { config: 'd' },
    ];
    for (const other of others) expect(readMark(KEY, text, { ...BOUND, ...other }, NOW)).toBeNull();
  });

  it('is worth nothing under another key', () => {
    expect(readMark(new TextEncoder().encode('another'), text, BOUND, NOW)).toBeNull();
  });

  it('is worth nothing when any part of it is changed or is no mark at all', () => {
    const mark: Record<string, unknown> = JSON.parse(text);
    const changes: Record<string, unknown>[] = [
      { uid: 31_235 },
      { gid: 45_679 },
      { chain: 'f'.repeat(32) },
      { at: NOW + 1 },
      { mac: '' },
      { mac: 'AAAA' },
      { mac: 7 },
      { v: 2 },
      { uid: '31234' },
      { at: null },
    ];
    for (const change of changes) expect(readMark(KEY, JSON.stringify({ ...mark, ...change }), BOUND, NOW)).toBeNull();
    for (const other of [undefined, '', 'null', '[]', '{', '7', '"x"', 'x'.repeat(5_000)])
      expect(readMark(KEY, other, BOUND, NOW)).toBeNull();
  });
});

describe('an identity', () => {
  it('is the same for the same review and another for every other one', () => {
    const of = (uid: string) => deriveIdentity(KEY, uid, new Set());
    expect(of('a')).toEqual(of('a'));
    const many = Array.from({ length: 500 }, (_, i) => of(`review-${i}`));
    for (const made of many) {
      expect(made?.uid).toBeGreaterThanOrEqual(20_000);
      expect(made?.uid).toBeLessThanOrEqual(59_999);
      expect(made?.gid).toBeGreaterThanOrEqual(20_000);
      expect(made?.gid).toBeLessThanOrEqual(59_999);
    }
    expect(new Set(many.map((made) => made?.chain)).size).toBe(500);
    expect(many.filter((made) => made?.uid === made?.gid).length).toBeLessThan(5);
  });
});

describe('a reinvocation', () => {
  it('keeps uid, gid and chain under a fresh mark, although its admission uid is new', () => {
    const pod = admit(makePod(), {}, { uid: 'first' });
    const late = reviewAdmission(makeReview(pod, { uid: 'second' }), makeContext({ now: NOW + 14_000 }));
    expect(patchOf(late)).toEqual([]);
  });

  it('makes everything of ours anew once the mark is old', () => {
    const pod = admit(makePod(), {}, { uid: 'first' });
    const made = admit(pod, { now: NOW + 16_000 }, { uid: 'second' });
    expect(readIdentity(made)).not.toEqual(readIdentity(pod));
    expect(made.spec?.initContainers).toHaveLength(2);
    expect(made.spec?.volumes).toEqual(pod.spec?.volumes);
    expect(made.spec?.containers).toEqual(pod.spec?.containers);
  });

  it('chooses new numbers when another webhook changed an image, a command or the containers', () => {
    const pod = admit(makePod(), {}, { uid: 'first' });
    const app = pod.spec?.containers?.[0];
    for (const containers of [
      [{ ...app, image: 'other' }],
      [{ ...app, command: ['sh'] }],
      [{ ...app, args: ['x'] }],
      [app, { name: 'added', image: 'x' }],
    ]) {
      const made = admit({ ...pod, spec: { ...pod.spec, containers } }, {}, { uid: 'second' });
      expect(readIdentity(made)).not.toEqual(readIdentity(pod));
    }
  });

  it('guards what another webhook added, and keeps the numbers when it touched no image', () => {
    const pod = admit(makePod());
    const app = pod.spec?.containers?.[0];
    const containers = [
      {
        ...app,
        env: [...(app?.env ?? []), { name: 'ADDED', value: '1' }],
        volumeMounts: [...(app?.volumeMounts ?? []), { name: 'added', mountPath: '/added' }],
      },
    ];
    const touched = {
      ...pod,
      spec: { ...pod.spec, containers, volumes: [...(pod.spec?.volumes ?? []), { name: 'added', emptyDir: {} }] },
    };
    expect(patchOf(submit(touched))).toEqual([]);
  });

  it('gives a dry run the same decision and the same operations, under a mark that no real pod can use', () => {
    const paths = (dryRun: boolean) =>
      patchOf(submit(makePod(), {}, { dryRun })).map(({ op, path }) => `${op} ${path}`);
    expect(paths(true)).toEqual(paths(false));
    const dry = admit(makePod(), {}, { uid: 'dry', dryRun: true });
    const real = admit(dry, {}, { uid: 'real' });
    expect(readIdentity(real)).not.toEqual(readIdentity(dry));
  });

  it('does not ask who requests: five requesters get one decision', () => {
    const of = (username: unknown) => submit(makePod({ hostNetwork: true }), {}, { userInfo: { username } });
    const requesters = ['me', 'system:admin', 'system:serviceaccount:kube-system:job-controller', '', null];
    expect(new Set(requesters.map((name) => JSON.stringify(of(name).review.response.status))).size).toBe(1);
    for (const username of requesters)
      expect(submit(makePod(), {}, { userInfo: { username } }).decision).toBe('injected');
  });
});
