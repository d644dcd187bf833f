/** An element of a well-formed XML text with its attributes and the text directly in it. */
export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
  readonly text: string;
}

interface Open {
  readonly name: string;
  readonly tag: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Element[];
  text: string;
}

const NAME = '[A-Za-z_][\\w.:-]*';
const TAG = new RegExp(`<(${NAME})((?:\\s+${NAME}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*)\\s*(/?)>`, 'y');
const END = new RegExp(`</(${NAME})\\s*>`, 'y');
const OTHER = /<!--([\s\S]*?)-->|<\?[\s\S]*?\?>|<!DOCTYPE[^>]*>|<!\[CDATA\[([\s\S]*?)\]\]>/y;
const ATTRIBUTE = new RegExp(`(${NAME})\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'g');

/**
 * Reads one XML text strictly (XML 1.0 §2.1): every tag closed by its own name, attributes quoted, no bare `<` and `&`.
 * @returns an element without name that holds the root and, as text, what comments say. @throws Error where the text is not well-formed
 */
export function readElements(text: string): Element {
  const top: Open = { name: '', tag: '', attributes: new Map(), children: [], text: '' };
  const open = [top];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at += found[0].length;
    return found;
  };
  while (at < text.length) {
    const last = open.at(-1) as Open;
    const next = text.indexOf('<', at);
    const end = next < 0 ? text.length : next;
    last.text += decode(text.slice(at, end));
    at = end;
    if (next < 0) break;
    const other = match(OTHER);
    if (other !== null) {
      top.text += ` ${other[1] ?? ''}`;
      last.text += other[2] ?? '';
      continue;
    }
    const tag = match(TAG);
    if (tag !== null) {
      openElement(open, tag);
      continue;
    }
    if (match(END)?.[1] !== last.tag) throw new Error(`not well-formed at ${at}`);
    closeElement(open);
  }
  if (open.length !== 1 || top.children.length === 0) throw new Error('not well-formed: an element is not closed');
  return top;
}

function openElement(open: Open[], [, tag = '', list = '', closed = '']: RegExpExecArray): void {
  const attributes = new Map<string, string>();
  for (const [, key = '', double, single] of list.matchAll(ATTRIBUTE)) {
    if (attributes.has(key)) throw new Error(`not well-formed: ${key} twice`);
    attributes.set(key, decode(double ?? single ?? ''));
  }
  open.push({ name: tag.slice(tag.indexOf(':') + 1), tag, attributes, children: [], text: '' });
  if (closed !== '') closeElement(open);
}

function closeElement(open: Open[]): void {
  const done = open.pop();
  if (done !== undefined) open.at(-1)?.children.push(done);
}

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replaceAll(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));?/g, (all, decimal, hex, name) => {
    if (!all.endsWith(';')) throw new Error('not well-formed: a reference without its end');
    if (name !== undefined) {
      const named = NAMED[name];
      if (named === undefined) throw new Error('not well-formed: an unknown reference');
      return named;
    }
    return String.fromCodePoint(Number.parseInt(decimal ?? hex, decimal === undefined ? 16 : 10));
  });
}
