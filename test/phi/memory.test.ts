import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { redact } from '#phi/redact.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is held once all garbage is gone. */
function heldBytes(): number {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function send(from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const text = `Patient Person${i} Quillfeather (MRN ${1_000_000 + i}) was seen on 3/${1 + (i % 28)}/2021 for cough.`;
    const result = redact([{ text, format: 'text', message: 1 }], { dates: 'whole', actions: {} });
    if (result.kind !== 'redacted' || result.vault.size < 3) throw new Error('nothing was redacted');
  }
}

test('T29 memory stays flat over 100,000 prompts of different patients', () => {
  send(0, 20_000);
  const before = heldBytes();
  send(20_000, 100_000);
  expect(heldBytes() - before).toBeLessThan(2 * 1024 * 1024);
}, 120_000);

test('T29 one request knows nothing of another', () => {
  const first = redact([{ text: 'Pt Dexter Quillfeather has a cough.', format: 'text', message: 1 }], {
    dates: 'whole',
    actions: {},
  });
  const second = redact([{ text: 'quillfeather was mentioned.', format: 'text', message: 1 }], {
    dates: 'whole',
    actions: {},
  });
  const alone = redact([{ text: 'Pt Wanda Okonkwo has a cough.', format: 'text', message: 1 }], {
    dates: 'whole',
    actions: {},
  });
  if (first.kind !== 'redacted' || second.kind !== 'redacted' || alone.kind !== 'redacted') throw new Error('refused');
  expect(first.vault.entries().map(({ original }) => original.reveal())).toContain('Dexter Quillfeather');
  expect(second.vault.entries().map(({ original }) => original.reveal())).not.toContain('Dexter Quillfeather');
  // Numbers begin anew: the second request's first person is no continuation of the first one's.
  expect(alone.vault.entries()[0]?.surrogate).toBe(first.vault.entries()[0]?.surrogate);
});
