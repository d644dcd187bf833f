import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from '#controller/cluster/json-lines.ts';

describe('LineSplitter', () => {
  it('gives the same lines wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string().map((text) => text.replaceAll('\n', ' '))),
        fc.array(fc.nat(40)),
        (lines, cuts) => {
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
          const splitter = new LineSplitter(1_000);
          const found: string[] = [];
          let from = 0;
          for (const cut of [...cuts, bytes.length]) {
            const to = Math.min(bytes.length, from + cut);
            found.push(...splitter.push(bytes.subarray(from, to)).map((line) => line.toString()));
            from = to;
          }
          expect(found).toEqual(lines);
        },
      ),
    );
  });

  it('refuses a line that is longer than its bound, before its end is there', () => {
    const splitter = new LineSplitter(8);
    expect(splitter.push(Buffer.from('12345678\n1234'))).toHaveLength(1);
    expect(() => splitter.push(Buffer.from('56789'))).toThrow(RangeError);
  });

  it('gives nothing of a line that did not end', () => {
    expect(new LineSplitter(8).push(Buffer.from('abc'))).toEqual([]);
  });
});
