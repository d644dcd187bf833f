/**
 * SipHash-2-4 (Aumasson, Bernstein 2012) over the UTF-16 units of a word, low byte first. A keyed function: without the key a table of
 * its values tells nobody which words are in it, and nobody can test a guess.
 */

/** A 128-bit key as four 32-bit numbers, lowest first. */
export type SipKey = Uint32Array;

/** 64 bits as two halves. The one object is written over by the next call. */
export interface SipValue {
  low: number;
  high: number;
}

const INITIAL = [
  0x7073_6575, 0x736f_6d65, 0x6e64_6f6d, 0x646f_7261, 0x6e65_7261, 0x6c79_6765, 0x7974_6573, 0x7465_6462,
];
/** v0 to v3, each as its low and its high half. */
const state = new Int32Array(8);

/** Hashes a word into `out`. */
export function sipHash(key: SipKey, word: string, out: SipValue): SipValue {
  for (let i = 0; i < 8; i++) state[i] = (INITIAL[i] as number) ^ (key[i & 3] as number);
  const { length } = word;
  let at = 0;
  for (; at + 4 <= length; at += 4) absorb(pairAt(word, at), pairAt(word, at + 2));
  const left = length - at;
  const low = left > 1 ? pairAt(word, at) : left === 1 ? word.charCodeAt(at) : 0;
  const high = left === 3 ? word.charCodeAt(at + 2) : 0;
  absorb(low, high | (length << 25));
  state[4] = (state[4] as number) ^ 0xff;
  for (let i = 0; i < 4; i++) mix();
  out.low = ((state[0] as number) ^ (state[2] as number) ^ state[4] ^ (state[6] as number)) >>> 0;
  out.high = ((state[1] as number) ^ (state[3] as number) ^ (state[5] as number) ^ (state[7] as number)) >>> 0;
  return out;
}

function pairAt(word: string, at: number): number {
  return word.charCodeAt(at) | (word.charCodeAt(at + 1) << 16);
}

function absorb(low: number, high: number): void {
  state[6] = (state[6] as number) ^ low;
  state[7] = (state[7] as number) ^ high;
  mix();
  mix();
  state[0] = (state[0] as number) ^ low;
  state[1] = (state[1] as number) ^ high;
}

/** One SipRound. */
function mix(): void {
  add(0, 2, 13);
  swap(0);
  add(4, 6, 16);
  add(0, 6, 21);
  add(4, 2, 17);
  swap(4);
}

/** a += b; b <<<= turn; b ^= a. */
function add(a: number, b: number, turn: number): void {
  const [bLow, bHigh] = [state[b] as number, state[b + 1] as number];
  const low = ((state[a] as number) >>> 0) + (bLow >>> 0);
  const high = (state[a + 1] as number) + bHigh + (low > 0xffff_ffff ? 1 : 0);
  state[a] = low;
  state[a + 1] = high;
  state[b] = ((bLow << turn) | (bHigh >>> (32 - turn))) ^ low;
  state[b + 1] = ((bHigh << turn) | (bLow >>> (32 - turn))) ^ high;
}

/** a <<<= 32. */
function swap(a: number): void {
  const low = state[a] as number;
  state[a] = state[a + 1] as number;
  state[a + 1] = low;
}
