import { readFileSync } from 'node:fs';
import { expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { describeValues, formatPage, VALUES_FILE, VALUES_PAGE } from '../../tools/values-doc.ts';
import { readChart, templateFiles } from './chart-files.ts';

interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
}

const VALUES: unknown = parse(readChart('values.yaml'));
const SCHEMA = JSON.parse(readChart('values.schema.json')) as JsonSchema;

test('docs/values.md is what values.yaml says', () => {
  expect(readFileSync(VALUES_PAGE, 'utf8')).toBe(formatPage(describeValues(readFileSync(VALUES_FILE, 'utf8'))));
});

test('every value is described, by itself or with its group', () => {
  const described = new Set(describeValues(readChart('values.yaml')).map(({ path }) => path.join('.')));
  const bare = leaves(VALUES, []).filter(
    (path) => !path.some((_, index) => described.has(path.slice(0, index + 1).join('.'))),
  );
  expect(bare).toEqual([]);
});

test('the schema knows every value, and no group of it takes another', () => {
  for (const path of leaves(VALUES, [])) {
    let node = SCHEMA;
    for (const key of path) {
      const group = resolve(node);
      if (path[0] !== 'global' && group.properties !== undefined) expect(group.additionalProperties).toBe(false);
      const inner = group.properties?.[key] ?? group.additionalProperties;
      expect(typeof inner, path.join('.')).toBe('object');
      node = inner as JsonSchema;
    }
  }
});

test('values.yaml has every group that the schema knows', () => {
  const schemaGroups = Object.keys(SCHEMA.properties ?? {});
  expect(Object.keys(VALUES as object).toSorted()).toEqual(schemaGroups.toSorted());
});

const FORBIDDEN =
  /\b(gen(CA|SelfSignedCert|SignedCert|PrivateKey)\w*|derivePassword|rand[A-Z]\w+|uuidv4|shuffle|now|ago|lookup|getHostByName|tpl)\b/;

it.each(templateFiles())('%s asks neither chance, clock nor cluster, and reads no value as a template', (file) => {
  const actions = [...readChart(file).matchAll(/\{\{(?!-? *\/\*).*?\}\}/gs)].map(([action]) => withoutText(action));
  expect(actions.filter((action) => FORBIDDEN.test(action))).toEqual([]);
});

test('the chart is of the version of the programs', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const chart = parse(readChart('Chart.yaml')) as Record<string, unknown>;
  expect([chart.version, chart.appVersion]).toEqual([version, version]);
  // Without the suffix, versions of vendors such as v1.33.1-gke.100 would be refused.
  expect(chart.kubeVersion).toMatch(/^>=1\.\d+\.0-0$/);
});

function leaves(value: unknown, path: readonly string[]): readonly (readonly string[])[] {
  const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value);
  const entries = isGroup ? Object.entries(value) : [];
  return entries.length === 0 ? [path] : entries.flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

function resolve(node: JsonSchema): JsonSchema {
  return node.$ref === undefined ? node : (SCHEMA.$defs?.[node.$ref.split('/').at(-1) ?? ''] ?? {});
}

/** Words in quotes call nothing. */
function withoutText(action: string): string {
  return action.replaceAll(/"(\\.|[^"\\])*"|`[^`]*`/g, '""');
}
