/** Tags that change how letters look, and Markdown's emphasis. */
const TAG = /<(\/?)(b|i|u|s|em|strong|span|mark|font|small|big|sub|sup)(?:\s[^<>]{0,120})?>|\*{1,3}/gi;
const LETTER = /[\p{L}\p{M}]/u;
/** Where nothing looks like markup inside a word there is nothing to do. */
const INSIDE_WORD = /\p{L}(?:<\/?[a-z]{1,6}(?:\s[^<>]{0,120})?>|\*{1,3})\p{L}/iu;

/** A document's own tags are its structure. */
const DOCUMENT = /^\s*<(?!(?:b|i|u|s|em|strong|span|mark|font|small|big|sub|sup)[\s>])/i;

interface Mark {
  readonly start: number;
  readonly end: number;
  readonly name: string;
  readonly closes: boolean;
  inWord: boolean;
}

/**
 * Text of prose without the marks that split its words: `Mar<b>ia</b> Gonz<i>alez</i>`. Marks around whole words stay.
 * @returns undefined where no word is split
 */
export function joinSplitWords(text: string): { readonly text: string; readonly map: Int32Array } | undefined {
  // Most texts have neither mark, and to look for a mark is far less than to try a pattern at each letter.
  if (!hasMarkBehindWord(text, '<') && !hasMarkBehindWord(text, '*')) return undefined;
  if (!INSIDE_WORD.test(text) || DOCUMENT.test(text)) return undefined;
  const dropped = findMarks(text).filter((mark) => mark.inWord);
  if (dropped.length === 0) return undefined;
  const map = new Int32Array(text.length + 1);
  let joined = '';
  let at = 0;
  for (const { start, end } of [...dropped, { start: text.length, end: text.length }]) {
    for (let i = at; i < start; i++) map[joined.length + i - at] = i;
    joined += text.slice(at, start);
    at = end;
  }
  map[joined.length] = text.length;
  return { text: joined, map: map.subarray(0, joined.length + 1) };
}

/** Whether a mark stands behind a letter, or what may be one. */
function hasMarkBehindWord(text: string, mark: string): boolean {
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) {
    const before = text.charCodeAt(at - 1);
    if (before > 127 || ((before | 32) >= 97 && (before | 32) <= 122)) return true;
  }
  return false;
}

/** Every mark; one that a mark inside a word opens or closes counts as inside, too. */
function findMarks(text: string): readonly Mark[] {
  const marks: Mark[] = [];
  const open = new Map<string, Mark[]>();
  for (const match of text.matchAll(TAG)) {
    const [whole, slash = '', tag = whole] = match;
    const end = match.index + whole.length;
    const inWord = LETTER.test(text.charAt(match.index - 1)) && LETTER.test(text.charAt(end));
    const name = tag.toLowerCase();
    const stack = open.get(name) ?? [];
    open.set(name, stack);
    const closes = slash !== '' || (tag === whole && stack.length > 0);
    const mark: Mark = { start: match.index, end, name, closes, inWord };
    marks.push(mark);
    if (!closes) stack.push(mark);
    else {
      const partner = stack.pop();
      if (partner !== undefined) partner.inWord = mark.inWord = partner.inWord || mark.inWord;
    }
  }
  return marks;
}
