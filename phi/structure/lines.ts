/** `[start, end)` in UTF-16 units of a text. */
export type Range = readonly [start: number, end: number];

/** `[start, end)` of each line that is not empty, without its end. @param offset is added to all of them */
export function linesOf(part: string, offset: number): Range[] {
  const lines: Range[] = [];
  let from = 0;
  for (let i = 0; i <= part.length; i++) {
    const code = i < part.length ? part.charCodeAt(i) : 10;
    if (code !== 10 && code !== 13) continue;
    if (i > from) lines.push([offset + from, offset + i]);
    from = i + 1;
  }
  return lines;
}
