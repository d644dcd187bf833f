import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The checkout's root. */
export const ROOT = join(import.meta.dirname, '../..');

/** One page of the documentation. */
export interface Page {
  /** Relative to the root. */
  readonly path: string;
  readonly text: string;
}

/** Every page: in the root, in docs/ and below it, and beside the test cluster. */
export function readPages(): readonly Page[] {
  const paths = ['.', 'docs', 'docs/decisions', 'test/cluster'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );
  return paths.map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

/** @returns the page of a path relative to the root */
export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The part of a page below a heading, up to the next heading of its rank. */
export function section(text: string, title: string): string {
  const found = text.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  if (found === undefined) throw new Error(`no section "${title}"`);
  return found;
}

/** The rows of all tables in a text, as their cells; heads and rules left out. */
export function rows(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n');
  const isRow = (line: string | undefined): boolean => line?.startsWith('|') === true;
  const isRule = (line: string | undefined): boolean => /^\|[\s|:-]+\|$/.test(line ?? '');
  return lines
    .filter((line, at) => isRow(line) && !isRule(line) && !isRule(lines[at + 1]))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

/** What stands in backticks. */
export function codes(text: string): readonly string[] {
  return [...text.replace(/```[^]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');
}

/** Links to places in this repository: the file they lead to, relative to the root, and the heading. */
export function links({ path, text }: Page): readonly { readonly file: string; readonly anchor: string | null }[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', anchor = null] = target.split('#');
      return { file: file === '' ? path : join(dirname(path), file), anchor };
    });
}

/** The anchors of a page's headings, as repository hosts make them. */
export function anchors(text: string): ReadonlySet<string> {
  return new Set(
    [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
      (match[1] ?? '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}
