import type { RestoreForm } from '#contract/text-site.ts';
import type { Transducer } from '#contract/transducer.ts';
import type { Vault, VaultEntry } from './vault.ts';

/** A restoring stage for one lane of a response. */
export interface Restorer extends Transducer<string, string> {
  /** UTF-16 units held back now, because a surrogate may still be completing. */
  readonly held: number;
  /** Surrogates restored so far. */
  readonly restored: number;
}

const QUOTE = 34;
const BACKSLASH = 92;
const UNDERSCORE = 95;
/** Backslashes before a quote within two JSON strings, and one more pair. */
const MAX_ESCAPES = 7;

interface Trie {
  /** First code units that can begin a surrogate. */
  readonly first: Uint8Array;
  readonly next: ReadonlyMap<number, number>;
  readonly leaf: ReadonlyMap<number, Leaf>;
}

interface Leaf {
  readonly text: string;
  readonly number: boolean;
}

/** What stands at a position: a surrogate up to `end`, nothing, or perhaps the beginning of one. */
type Match = { readonly end: number; readonly text: string } | 'none' | 'partial';

/**
 * Replaces issued surrogates by their originals in one pass: a restored value is never looked at again (T4), an incomplete or
 * altered surrogate stays as it is (T5, T6), and only the longest suffix that can begin an issued surrogate is held back (T11).
 * Other letter case and a Markdown-escaped underscore decode to exactly one surrogate and are restored (T7).
 * @param form `json` writes the original as the inside of a JSON string
 */
export function createRestorer(vault: Vault, form: RestoreForm): Restorer {
  const trie = buildTrie(vault.entries(), form);
  let held = '';
  let restored = 0;
  return {
    push(chunk) {
      const done = restoreText(trie, held + chunk);
      held = done.rest;
      restored += done.restored;
      return done.text === '' ? [] : [done.text];
    },
    end() {
      const rest = held;
      held = '';
      return rest === '' ? [] : [rest];
    },
    get held() {
      return held.length;
    },
    get restored() {
      return restored;
    },
  };
}

/** One pass over a text. @returns what is certain, and the rest that may be the beginning of a surrogate */
function restoreText(
  trie: Trie,
  text: string,
): { readonly text: string; readonly rest: string; readonly restored: number } {
  let out = '';
  let copied = 0;
  let restored = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127 || trie.first[code] === 0) continue;
    const match = matchAt(trie, text, i);
    if (match === 'none') continue;
    if (match === 'partial') return { text: out + text.slice(copied, i), rest: text.slice(i), restored };
    out += text.slice(copied, i) + match.text;
    restored++;
    copied = match.end;
    i = match.end - 1;
  }
  return { text: out + text.slice(copied), rest: '', restored };
}

function matchAt(trie: Trie, text: string, at: number): Match {
  const quote = leadingQuote(text, at);
  if (quote === 'none' || quote === 'partial') return quote;
  let node = 0;
  for (let i = at + quote.length; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code === BACKSLASH) {
      const escape = i;
      if (!trie.next.has(node * 128 + UNDERSCORE)) return 'none';
      while (code === BACKSLASH && i - escape < 2) code = text.charCodeAt(++i);
      if (i >= text.length) return 'partial';
      if (code !== UNDERSCORE) return 'none';
    }
    const next = code < 128 ? trie.next.get(node * 128 + fold(code)) : undefined;
    if (next === undefined) return 'none';
    const leaf = trie.leaf.get(next);
    if (leaf !== undefined) return closeMatch(leaf, quote, text, i + 1);
    node = next;
  }
  return 'partial';
}

/** The quotes that belong to a surrogate for a number must stand on both sides alike. */
function closeMatch(leaf: Leaf, quote: string, text: string, end: number): Match {
  if (quote === '') return { end, text: leaf.text };
  if (!leaf.number) return 'none';
  const behind = text.slice(end, end + quote.length);
  if (behind === quote) return { end: end + quote.length, text: leaf.text };
  return end + behind.length === text.length && quote.startsWith(behind) ? 'partial' : 'none';
}

/** A double quote, perhaps escaped for JSON strings around it. @returns '' when the text does not begin with one */
function leadingQuote(text: string, at: number): string {
  let i = at;
  while (i - at < MAX_ESCAPES && text.charCodeAt(i) === BACKSLASH) i++;
  if (text.charCodeAt(i) === QUOTE) return text.slice(at, i + 1);
  if (i === at) return '';
  return i === text.length ? 'partial' : 'none';
}

function buildTrie(entries: readonly VaultEntry[], form: RestoreForm): Trie {
  const first = new Uint8Array(128);
  const next = new Map<number, number>();
  const leaf = new Map<number, Leaf>();
  let nodes = 1;
  let numbers = false;
  for (const entry of entries) {
    const original = entry.original.reveal();
    let node = 0;
    for (let i = 0; i < entry.surrogate.length; i++) {
      const key = node * 128 + fold(entry.surrogate.charCodeAt(i));
      const known = next.get(key);
      node = known ?? nodes++;
      if (known === undefined) next.set(key, node);
    }
    leaf.set(node, {
      text: form === 'json' ? JSON.stringify(original).slice(1, -1) : original,
      number: entry.number === true,
    });
    const code = fold(entry.surrogate.charCodeAt(0));
    first[code] = 1;
    first[code - 32] = 1;
    numbers ||= entry.number === true;
  }
  if (numbers) {
    first[QUOTE] = 1;
    first[BACKSLASH] = 1;
  }
  return { first, next, leaf };
}

/** ASCII lower case. */
function fold(code: number): number {
  return code >= 65 && code <= 90 ? code + 32 : code;
}
