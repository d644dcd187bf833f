import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GUARD_ENVIRONMENT, GUARD_FLAGS } from '../../bench/guard-start.ts';

test("benchmarks start the guard as the sidecar's image does", () => {
  const stage = /^FROM node AS sidecar\n(?:.+\n)+/m.exec(readFileSync('Dockerfile', 'utf8'))?.[0] ?? '';
  const flags = [...stage.matchAll(/"(--[\w-]+(?:=\d+)?)"/g)].map(([, flag]) => flag);
  expect(flags).toEqual(GUARD_FLAGS);
  const environment = /^ENV (MALLOC.*)$/m
    .exec(stage)?.[1]
    ?.split(' ')
    .map((pair) => pair.split('='));
  expect(Object.fromEntries(environment ?? [])).toEqual(GUARD_ENVIRONMENT);
});
