import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findExemptions } from '#controller/admission/exemption.ts';
import { findGaps } from '#controller/admission/is-guarded.ts';
import { reviewAdmission, reviewOutcome } from '#controller/admission/review.ts';
import { admit, makeContext, makePod, makeReview, messageOf, NOW, patchOf, submit, type World } from './fixture.ts';

interface Golden extends World {
  readonly name: string;
  readonly expect: 'injected' | 'denied' | 'not-ours';
  readonly rules?: readonly string[];
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, unknown>>;
}

const folder = new URL('pods/', import.meta.url);
const families = readdirSync(folder).map((file): readonly [string, readonly Golden[]] => [
  file.replace('.yaml', ''),
  parse(readFileSync(new URL(file, folder), 'utf8')),
]);

function podOf({ metadata, spec }: Golden) {
  const pod = makePod();
  return { ...pod, metadata: { ...pod.metadata, ...metadata }, spec };
}

function worldOf({ values, namespace, exempt }: Golden): World {
  return {
    ...(values === undefined ? {} : { values }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(exempt === undefined ? {} : { exempt }),
  };
}

it('there are at least 60 golden pods', () => {
  expect(families.flatMap(([, pods]) => pods).length).toBeGreaterThanOrEqual(60);
});

describe.each(families)('%s', (_, pods) => {
  const of = (kind: Golden['expect']) => pods.filter((golden) => golden.expect === kind);

  it.each(of('denied'))('$name is denied under its rule, with field and remedy', (golden) => {
    const reviewed = submit(podOf(golden), worldOf(golden));
    expect(reviewed.review.response.allowed).toBe(false);
    expect(reviewed.rules).toEqual(golden.rules);
    for (const id of golden.rules ?? [])
      expect(messageOf(reviewed)).toMatch(new RegExp(`${id} [\\w.[\\]"/-]+: .+\\. [A-Z].+\\.`));
  });

  it.each(of('not-ours'))('$name is let through untouched', (golden) => {
    const reviewed = submit(podOf(golden), worldOf(golden));
    expect(reviewed.decision).toBe('not-ours');
    expect(patchOf(reviewed)).toEqual([]);
  });

  it.each(of('injected'))('$name is guarded, and a second call finds nothing to do', (golden) => {
    const world = worldOf(golden);
    const pod = admit(podOf(golden), world);
    const context = makeContext(world);
    const exemptions = findExemptions(context.exemptions, context.namespace.name, pod, NOW);
    expect(findGaps(pod, { ...context, exemptions })).toEqual([]);
    const again = reviewAdmission(makeReview(pod), { ...context, now: NOW + 1_000 });
    expect(again.review.response.allowed).toBe(true);
    expect(patchOf(again)).toEqual([]);
    expect(reviewOutcome(makeReview(pod), context).review.response.allowed).toBe(true);
  });
});
