import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { RULES } from '#controller/admission/bypass-rules.ts';

const template = readFileSync(
  new URL('../../../charts/lazaret/templates/policies/_words.tpl', import.meta.url),
  'utf8',
);
const body = /\{\{- define "lazaret\.policies\.words" -\}\}\n([\s\S]*)\{\{- end -\}\}/.exec(template)?.[1] ?? '';
const words: Readonly<Record<string, { readonly why: string; readonly instead: string }>> = parse(body);

describe('the words of the policies in the chart', () => {
  it.each(Object.keys(words).filter((id) => id !== 'ADM-21'))('%s are those of the webhook', (id) => {
    const rule = RULES.find((other) => other.id === id);
    expect(words[id]).toEqual({ why: rule?.why, instead: rule?.instead });
  });

  it('are there for every rule that is the policy’s alone', () => {
    const alone = RULES.filter(({ verdict }) => verdict === 'policy').map(({ id }) => id);
    expect(alone.filter((id) => words[id] === undefined)).toEqual([]);
  });
});
