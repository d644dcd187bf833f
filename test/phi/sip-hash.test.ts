import { expect, it } from 'vitest';
import { sipHash } from '#phi/sip-hash.ts';

const KEY = new Uint32Array(Uint8Array.from({ length: 16 }, (_, i) => i).buffer);

/** Units whose bytes, low first, are 00 01 02 ... as in the authors' test vectors. */
const counting = (bytes: number): string =>
  Array.from({ length: bytes / 2 }, (_, i) => String.fromCharCode(2 * i + (2 * i + 1) * 256)).join('');

it.each([
  [0, '726fdb47dd0e0e31'],
  [2, '0d6c8009d9a94f5a'],
  [4, 'cf2794e0277187b7'],
  [6, 'cbc9466e58fee3ce'],
  [8, '93f5f5799a932462'],
])('%i bytes hash to the vector of the SipHash-2-4 paper', (bytes, expected) => {
  const { low, high } = sipHash(KEY, counting(bytes), { low: 0, high: 0 });
  expect(high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')).toBe(expected);
});
