import { expect, test } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { barKey, checkBarred, checkOrganization, NO_BARRED_KEYS } from '#contract/policy-organization.ts';
import { agreement, match, policyOf } from './policy-fixture.ts';

const PINNED = policyOf(
  agreement(match({ organization: { header: 'anthropic-organization-id', ids: ['org-a', 'org-b'] } })),
).agreements[0]!;
const UNPINNED = policyOf(agreement(match({ organization: { header: 'anthropic-organization-id', ids: [] } })))
  .agreements[0]!;

test.each([
  ['a covered account', 200, [['anthropic-organization-id', 'org-b']], null],
  ['a covered account in another case of the header name', 200, [['Anthropic-Organization-Id', 'org-a']], null],
  ['another account', 200, [['anthropic-organization-id', 'org-c']], 'organization_not_covered'],
  ['another account on a failed answer', 429, [['anthropic-organization-id', 'org-c']], 'organization_not_covered'],
  [
    'a covered and another account',
    200,
    [
      ['anthropic-organization-id', 'org-a'],
      ['anthropic-organization-id', 'org-c'],
    ],
    'organization_not_covered',
  ],
  ['no account on a good answer', 200, [], 'organization_not_covered'],
  ['no account on a failed answer', 529, [], null],
] as const)('an answer that names %s', (_, status, headers, reason) => {
  expect(checkOrganization(PINNED, { status, headers })?.reason ?? null).toBe(reason);
});

test('an agreement without ids checks no account', () => {
  expect(checkOrganization(UNPINNED, { status: 200, headers: [['anthropic-organization-id', 'org-c']] })).toBeNull();
});

test('a barred key is refused and no other', () => {
  const barred = barKey(NO_BARRED_KEYS, 'a');
  expect(checkBarred(barred, 'a')?.reason).toBe('organization_not_covered');
  expect(checkBarred(barred, 'b')).toBeNull();
  expect(checkBarred(NO_BARRED_KEYS, 'a')).toBeNull();
});

test('past the bound every key is barred, and none is forgotten', () => {
  let barred = NO_BARRED_KEYS;
  for (let i = 0; i < LIMIT.barredKeys; i++) barred = barKey(barred, `key ${i}`);
  expect(checkBarred(barred, 'a fresh key')).toBeNull();
  barred = barKey(barred, 'one more');
  expect(checkBarred(barred, 'a fresh key')?.reason).toBe('organization_not_covered');
  expect(barred.fingerprints.size).toBe(LIMIT.barredKeys);
});
