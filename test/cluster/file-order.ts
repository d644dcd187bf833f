import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Whether a file of tests shares the one installation of the product: it imports `install.ts`, or a file that does. */
export function sharesInstallation(file: string, seen = new Set<string>()): boolean {
  if (basename(file) === 'install.ts') return true;
  if (seen.has(file) || !existsSync(file)) return false;
  seen.add(file);
  const imports = readFileSync(file, 'utf8').matchAll(/from '(\.{1,2}\/[^']+)'/g);
  return [...imports].some(([, path = '']) => sharesInstallation(join(dirname(file), path), seen));
}

/** What takes minutes begins first in its half, so that no worker is left with it while the other one has nothing to do. */
const LONG: readonly string[] = [
  'lifecycle',
  'helm',
  'product',
  'operations',
  'sre',
  'serving-secrets',
  'faults',
  'workloads',
  'upgrade',
];

/** Files that share the installation come last and one after the other, so that each worker makes it once; long ones first; else by name. */
export class FileOrder extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const keyOf = ({ moduleId }: TestSpecification): string => {
      const place = LONG.indexOf(basename(moduleId, '.test.ts'));
      return `${Number(sharesInstallation(moduleId))}${place < 0 ? LONG.length : place}${moduleId}`;
    };
    return Promise.resolve(files.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1)));
  }
}
