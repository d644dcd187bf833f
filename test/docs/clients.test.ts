import { expect, it } from 'vitest';
import { podEnvironment } from '#contract/pod-environment.ts';
import { POD_PATH, trustPaths } from '#contract/pod-paths.ts';
import { codes, readPage, rows, section } from './page.ts';

it('docs/clients.md names every variable that a container gets, and no other, each with its value', () => {
  const told = rows(section(readPage('docs/clients.md'), 'What is set')).flatMap(([names = '', value = '']) =>
    codes(names).map((name) => [name, codes(value)[0]] as const),
  );
  const set = podEnvironment(trustPaths(POD_PATH.trust)).map(({ name, value }) => [name, value] as const);
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(set));
});
