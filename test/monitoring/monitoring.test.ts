import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ALERT_CASES } from './alert-cases.ts';
import { queriesOf, readDashboard } from './dashboard.ts';
import { exposedSeries, TARGET_LABELS } from './metric-names.ts';
import { allRules, alertValues, readRules, ruleText } from './rules.ts';

const RUNBOOKS = readFileSync(join(import.meta.dirname, '../../docs/runbooks.md'), 'utf8');
const SERIES = await exposedSeries();

/** Words of a query that are names of ours. */
function namesIn(query: string): readonly string[] {
  return query.match(/\blazaret_\w+/g) ?? [];
}

/** Labels that a query selects or groups by. */
function labelsIn(query: string): readonly string[] {
  const grouped = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
  const selected = [...query.matchAll(/(\w+)(?:=~|!=|=)"/g)].map(([, label = '']) => label);
  return [...grouped, ...selected];
}

test.each(allRules().map((rule) => [rule.alert, rule.expr] as const))('%s asks for series that exist', (_, expr) => {
  expect(namesIn(expr).length).toBeGreaterThan(0);
  for (const name of namesIn(expr)) expect([...SERIES.keys()]).toContain(name);
});

test.each(allRules().map((rule) => [rule.alert, rule] as const))(
  '%s names only labels that its series have',
  (_, rule) => {
    const known = new Set([...namesIn(rule.expr).flatMap((name) => SERIES.get(name) ?? []), ...TARGET_LABELS]);
    const shown = [...JSON.stringify(rule.annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
    const kept = new Set(labelsIn(rule.expr));
    for (const label of kept) expect([...known]).toContain(label);
    for (const label of shown)
      expect([...kept], 'a label in a text that the query does not keep is empty').toContain(label);
  },
);

test.each(queriesOf().map((query) => [query] as const))('the dashboard asks for series that exist: %s', (query) => {
  expect(namesIn(query).length).toBeGreaterThan(0);
  for (const name of namesIn(query)) expect([...SERIES.keys()]).toContain(name);
  const known = new Set([...namesIn(query).flatMap((name) => SERIES.get(name) ?? []), ...TARGET_LABELS]);
  for (const label of labelsIn(query)) expect([...known]).toContain(label);
});

test('panels of the dashboard have ids of their own, fill the width and do not overlap', () => {
  const { panels } = readDashboard();
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (__, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
});

test('every threshold of the rules is a value of the chart, and every value is used', () => {
  const used = new Set([...ruleText().matchAll(/@(\w+)@/g)].map(([, name = '']) => name));
  expect([...used].toSorted()).toEqual(Object.keys(alertValues().thresholds).toSorted());
  expect(JSON.stringify(readRules())).not.toMatch(/@\w+@/);
});

test('every alert is tried, and has a part of the runbooks that says what it means, what to look at and what to do', () => {
  const alerts = allRules().map(({ alert }) => alert);
  expect(new Set(ALERT_CASES.map(({ alert }) => alert))).toEqual(new Set(alerts));
  const parts = RUNBOOKS.split(/^## /m).slice(1);
  expect(parts.map((part) => part.split('\n')[0]).filter((title) => title?.startsWith('Lazaret'))).toEqual(alerts);
  for (const alert of alerts) {
    const part = parts.find((each) => each.startsWith(`${alert}\n`)) ?? '';
    for (const word of ['**Means.**', '**Look at.**', '**Do.**']) expect(part, `${alert} ${word}`).toContain(word);
  }
});

test('what an alert says holds no text of a caller: only labels from closed sets', () => {
  const labels = allRules().flatMap(({ annotations }) =>
    [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label),
  );
  expect([...new Set(labels)].toSorted()).toEqual([
    'agreement',
    'certificate',
    'finding',
    'namespace',
    'pod',
    'reason',
  ]);
});
