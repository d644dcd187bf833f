import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const folder = new URL('../../../controller/admission/', import.meta.url);
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

it('controller/admission imports only contract/, itself, zod and node:crypto, and asks no clock, chance or environment', () => {
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) {
    const source = readFileSync(new URL(file, folder), 'utf8');
    for (const [, from] of source.matchAll(/from '([^']+)'/g))
      expect(from, file).toMatch(/^(\.\.?\/|#contract\/|zod$|node:crypto$)/);
    expect(source, file).not.toMatch(
      /Date\.now|new Date\(\)|Math\.random|random(Bytes|UUID|Int)|\bprocess\.[a-z]|setTimeout|fetch\(/,
    );
  }
});
