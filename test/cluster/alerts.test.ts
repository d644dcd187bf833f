import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { ALERT_CASES, type AlertCase, type AlertSeries } from '#test/monitoring/alert-cases.ts';
import { queriesOf } from '#test/monitoring/dashboard.ts';
import { allRules, dashboardText, readRules, type Rule } from '#test/monitoring/rules.ts';
import { ciValues, HELMS, renderChart } from './helm-command.ts';

const HOUR = 60;

/** Prometheus' own tool over files. Debian has it in the package `prometheus`. */
function promtool(command: readonly string[], files: Readonly<Record<string, string>>): { ok: boolean; text: string } {
  const dir = mkdtempSync(join(tmpdir(), 'lazaret-promtool-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const { status, stdout, stderr, error } = spawnSync('promtool', command, { cwd: dir, encoding: 'utf8' });
  if (error !== undefined) throw new Error('promtool is missing: install the package prometheus', { cause: error });
  return { ok: status === 0, text: stdout + stderr };
}

/** The hours of a case as a series of promtool: below, at, below, below. */
function samples({ below, at, counter }: AlertSeries): string {
  let total = 0;
  let last: number | null = null;
  const values = [below, at, below, below].flatMap((value) =>
    Array.from({ length: HOUR }, () => {
      if (value === null) {
        const word = last === null ? '_' : 'stale';
        last = null;
        return word;
      }
      last = value;
      total += value;
      return String(counter === true ? total : value);
    }),
  );
  return values.join(' ');
}

/** Only the summary is compared: promtool wants every annotation word for word. */
function barRule({ alert, expr, labels, annotations, for: hold }: Rule): object {
  return {
    alert,
    expr,
    labels,
    annotations: { summary: annotations.summary },
    ...(hold === undefined ? {} : { for: hold }),
  };
}

function testFile({ alert, series, labels, summary, holds }: AlertCase, severity: string): object {
  const firing = [{ exp_labels: { severity, ...labels }, exp_annotations: { summary } }];
  const check = (minute: number, fires: boolean) => ({
    eval_time: `${minute}m`,
    alertname: alert,
    exp_alerts: fires ? firing : [],
  });
  return {
    rule_files: ['rules.yaml'],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: series.map((each) => ({ series: each.name, values: samples(each) })),
        alert_rule_test: [
          check(HOUR - 1, false),
          ...(holds > 0 ? [check(HOUR + holds - 1, false)] : []),
          // A rate over five minutes needs these until it shows the new slope whole.
          check(HOUR + Math.max(holds, 6) + 2, true),
          check(2 * HOUR - 1, true),
          check(4 * HOUR - 1, false),
        ],
      },
    ],
  };
}

test('promtool takes every rule', () => {
  const { ok, text } = promtool(['check', 'rules', 'rules.yaml'], { 'rules.yaml': stringify(readRules()) });
  expect(text).toContain(`${allRules().length} rules found`);
  expect(ok, text).toBe(true);
});

test.each(ALERT_CASES.map((each) => [each.alert, each.what, each] as const))(
  '%s fires %s, not before, and clears',
  (_, __, each) => {
    const rule = allRules().find(({ alert }) => alert === each.alert)!;
    const rules = { groups: [{ name: 'one', rules: [barRule(rule)] }] };
    const { ok, text } = promtool(['test', 'rules', 'test.yaml'], {
      'rules.yaml': stringify(rules),
      'test.yaml': stringify(testFile(each, rule.labels.severity)),
    });
    expect(ok, text).toBe(true);
  },
);

test('a case whose series never reach the threshold fails, so the cases above can', () => {
  const each = ALERT_CASES.find(({ alert }) => alert === 'LazaretAuditLag')!;
  const rule = allRules().find(({ alert }) => alert === each.alert)!;
  const calm = { ...each, series: each.series.map((one) => ({ ...one, at: one.below })) };
  const { ok } = promtool(['test', 'rules', 'test.yaml'], {
    'rules.yaml': stringify({ groups: [{ name: 'one', rules: [barRule(rule)] }] }),
    'test.yaml': stringify(testFile(calm, rule.labels.severity)),
  });
  expect(ok).toBe(false);
});

test('promtool reads every query of the dashboard', () => {
  const rules = queriesOf().map((expr, at) => ({ record: `lazaret:query:${at}`, expr }));
  expect(rules.length).toBeGreaterThan(10);
  const { ok, text } = promtool(['check', 'rules', 'rules.yaml'], {
    'rules.yaml': stringify({ groups: [{ name: 'dashboard', rules }] }),
  });
  expect(ok, text).toBe(true);
});

const MONITORING = ['--kube-version', '1.36.0', '--set', 'alerts.enabled=true', '--set', 'dashboard.enabled=true'];

test.each(HELMS)(
  '%s renders the very rules and the very dashboard, each alert with a link to its runbook',
  async (helm) => {
    const objects = await renderChart(helm, [...ciValues('default'), ...MONITORING]);
    const named = (kind: string, name: string) =>
      objects.find((object) => object.kind === kind && object.metadata.name === name);
    const groups = readRules().groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({
        ...rule,
        annotations: { ...rule.annotations, runbook_url: `docs/runbooks.md#${rule.alert.toLowerCase()}` },
      })),
    }));
    expect(named('PrometheusRule', 'lazaret')?.['spec']).toEqual({ groups });
    const dashboard = named('ConfigMap', 'lazaret-dashboard');
    expect(dashboard?.metadata.labels).toMatchObject({ grafana_dashboard: '1' });
    expect(dashboard?.['data']).toEqual({ 'lazaret.json': dashboardText() });
  },
);

test('a threshold of the values stands in the rule', async () => {
  const args = ['--set-json', 'alerts.thresholds={"spoolRatio":0.5,"auditLagSeconds":1200000}'];
  const objects = await renderChart('helm', [...ciValues('default'), ...MONITORING, ...args]);
  const text = JSON.stringify(objects.find(({ kind }) => kind === 'PrometheusRule'));
  expect(text).toContain('lazaret_spool_limit_bytes) >= 0.5"');
  expect(text).toMatch(/lazaret_audit_lag_seconds\) > (1200000|1\.2e\+06)"/);
});
