import { describe, expect, it } from 'vitest';
import { isIdOfOriginal } from '#phi/id-leak.ts';
import { redact } from '#phi/redact.ts';

function vaultOf(text: string) {
  const redacted = redact([{ text, format: 'text', message: 1 }], { dates: 'keep-year', actions: {} });
  if (redacted.kind !== 'redacted') throw new Error('refused');
  return redacted.vault;
}

const VAULT = vaultOf('Patient María Gonzalez, MRN 4471902, phone 217-555-0142.');

describe('ids', () => {
  it.each(['call_MariaGonzalez', 'call_gonzalez1957abc', 'toolu_4471902', 'call_2175550142', 'msg-MARIA-GONZALEZ'])(
    '%s is made of an original',
    (id) => expect(isIdOfOriginal(VAULT, [id])).toBe(true),
  );

  it.each(['toolu_01A09q90qw90lq917835lq9', 'call_aBcDeFgHiJkLmNoPqRsTuVwX', '', 'call_4471'])('%s is not', (id) =>
    expect(isIdOfOriginal(VAULT, [id, 'call_x'])).toBe(false),
  );

  it('without originals or ids there is nothing to tell', () => {
    expect(isIdOfOriginal(vaultOf('a cough'), ['call_MariaGonzalez'])).toBe(false);
    expect(isIdOfOriginal(VAULT, [])).toBe(false);
  });
});
