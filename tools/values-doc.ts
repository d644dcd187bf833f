// Makes docs/values.md from the chart's values.yaml: each comment that begins with "--" describes the key below it.
// Usage: node tools/values-doc.ts
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '..');

/** Where the values stand, and the page that is made of them. */
export const VALUES_FILE = join(ROOT, 'charts/lazaret/values.yaml');
export const VALUES_PAGE = join(ROOT, 'docs/values.md');

/** One described key of the values. */
export interface DescribedValue {
  /** Keys from the outermost on. */
  readonly path: readonly string[];
  readonly description: string;
  readonly value: unknown;
}

const HEAD = `# The chart's values

Made from the comments of [values.yaml](../charts/lazaret/values.yaml) by \`tools/values-doc.ts\`. The schema is strict: a key that does not
stand here is refused, with its place. What the groups \`policy\`, \`egress\` and \`network\` mean for requests: [policy.md](policy.md); what
\`sidecar\`, \`init\` and \`admission\` mean for pods: [admission.md](admission.md).

| value | default | meaning |
|---|---|---|
`;

/**
 * Reads the described keys in their order.
 * @param text values.yaml, indented by two spaces
 * @throws Error when a comment that begins with "--" does not stand right above a key
 */
export function describeValues(text: string): readonly DescribedValue[] {
  const values: unknown = parse(text);
  const described: DescribedValue[] = [];
  const path: string[] = [];
  let comment: string | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    const remark = /^ *# -- (.+)$/.exec(line)?.[1];
    const key = /^( *)([A-Za-z0-9]+):/.exec(line);
    if (key !== null) path.splice((key[1] ?? '').length / 2, path.length, key[2] ?? '');
    if (comment !== null) {
      if (key === null) throw new Error(`values.yaml, line ${index + 1}: the comment above describes no key`);
      described.push({ path: [...path], description: comment, value: valueAt(values, path) });
    }
    comment = remark ?? null;
  }
  return described;
}

/** The page that shows them. */
export function formatPage(described: readonly DescribedValue[]): string {
  const rows = described.map(
    ({ path, description, value }) =>
      `| \`${path.join('.')}\` | ${formatValue(value)} | ${escapeBars(description)} |\n`,
  );
  return HEAD + rows.join('');
}

function formatValue(value: unknown): string {
  return value === '' ? 'empty' : `\`${escapeBars(JSON.stringify(value))}\``;
}

function escapeBars(text: string): string {
  return text.replaceAll('|', '\\|');
}

function valueAt(values: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    values,
  );
}

if (import.meta.main) await writeFile(VALUES_PAGE, formatPage(describeValues(await readFile(VALUES_FILE, 'utf8'))));
