import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RULES } from '#controller/admission/bypass-rules.ts';
import { ADMISSION_VALUES } from '#controller/admission/values.ts';

const manual = readFileSync(new URL('../../../docs/admission.md', import.meta.url), 'utf8');

describe('docs/admission.md', () => {
  it('lists exactly the rules in code, in their words', () => {
    const rows = manual.split('\n').filter((line) => /^\| (B|ADM)-\d+ \|/.test(line));
    const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
    expect(rows).toEqual(
      RULES.map(
        ({ id, verdict, exemptible, title, why, instead }) =>
          `| ${id} | ${verdict}${exemptible ? ', exemptible' : ''} | ${title} | ${capital(why)} | ${instead} |`,
      ),
    );
  });

  it('names every value of the group admission', () => {
    for (const name of Object.keys(ADMISSION_VALUES.parse({}).admission))
      expect(manual).toContain(`\`admission.${name}\``);
  });
});
