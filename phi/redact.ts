import type { Entity, EntityAction } from '#contract/entity.ts';
import { LIMIT } from '#contract/limit.ts';
import { Phi } from '#contract/phi.ts';
import type { TextSite } from '#contract/text-site.ts';
import { DetectorError, TooManyFindings } from './detector-error.ts';
import { createIdentities, type Identities } from './identity.ts';
import { type Examined, examineSites } from './examine.ts';
import type { Finding } from './finding.ts';
import type { Listed } from './listed.ts';
import type { SurrogateSpan } from './span.ts';
import { Vault, type VaultEntry } from './vault.ts';
import type { DatePolicy } from './view.ts';

/** What policy wants done. */
export interface RedactOptions {
  readonly dates: DatePolicy;
  /** What happens to each entity; `redact` where nothing is said. */
  readonly actions: Readonly<Partial<Record<Entity, EntityAction>>>;
  /** More distinct identifiers than this in one request are refused (minimum necessary, 45 CFR 164.502(b)). */
  readonly maxIdentifiers?: number;
  /** The deployer's own names and numbers. */
  readonly names?: Listed;
}

export type Redaction =
  | {
      readonly kind: 'redacted';
      /** One text for each site, in order. */
      readonly texts: readonly string[];
      readonly vault: Vault;
      /** Replaced pieces by entity. */
      readonly counts: Readonly<Partial<Record<Entity, number>>>;
      /** For each site its replaced pieces, left to right. */
      readonly spans: readonly (readonly SurrogateSpan[])[];
    }
  | {
      readonly kind: 'refused';
      readonly reason: 'identifier_not_allowed' | 'too_many_identifiers';
      readonly entity?: Entity;
    };

/**
 * Replaces the identifiers of a request by surrogates. The sites are one conversation: what one text shows to be a name is
 * replaced in all of them, and equal values get equal surrogates. Numbering follows the conversation, so that an append-only
 * history is redacted to the same bytes again (T3, T32).
 * @param sites in the order of the conversation
 * @returns texts of the same format as the sites, or a refusal
 * @throws DetectorError when a recognizer failed; it carries no text, and nothing may be sent
 */
export function redact(sites: readonly TextSite[], options: RedactOptions): Redaction {
  const examined = examine(sites, options);
  if (examined === null) return { kind: 'refused', reason: 'too_many_identifiers' };
  // Most policies redact everything, and need not be asked for each finding.
  const asks = Object.keys(options.actions).length > 0;
  const kept = asks ? examined.findings.filter(({ entity }) => options.actions[entity] !== 'keep') : examined.findings;
  const blocked = asks ? kept.find(({ entity }) => options.actions[entity] === 'block') : undefined;
  if (blocked !== undefined) return { kind: 'refused', reason: 'identifier_not_allowed', entity: blocked.entity };
  const identities = createIdentities();
  const { maxIdentifiers = LIMIT.distinctIdentifiers } = options;
  const issued = issue(sites, kept, identities);
  if (issued === null || identities.size > maxIdentifiers) return { kind: 'refused', reason: 'too_many_identifiers' };
  return { kind: 'redacted', ...rewrite(sites, issued.spans), vault: new Vault(issued.entries) };
}

/** @returns null when there is more than a request may hold */
function examine(sites: readonly TextSite[], options: RedactOptions): Examined | null {
  try {
    return examineSites(sites, options);
  } catch (error) {
    if (error instanceof TooManyFindings) return null;
    throw error instanceof DetectorError ? error : new DetectorError('examination');
  }
}

interface Issued {
  readonly spans: readonly SurrogateSpan[][];
  readonly entries: readonly VaultEntry[];
}

/**
 * Gives each finding its surrogate, in the order the conversation made it known.
 * @returns null when the vault would grow beyond `LIMIT.distinctIdentifiers`
 */
function issue(sites: readonly TextSite[], findings: readonly Finding[], identities: Identities): Issued | null {
  const spans: SurrogateSpan[][] = sites.map(() => []);
  const entries: VaultEntry[] = [];
  const escaped = sites.map(({ text }) => text.includes('\\'));
  const ordered = inOrder(findings);
  for (const finding of ordered) {
    const { site: at, start, end, key, quote, score } = finding;
    const site = sites[at];
    if (site === undefined) continue;
    const number = quote !== undefined;
    const raw = site.text.slice(start, end);
    const original = escaped[at] === true ? originalOf(site, raw, number) : raw;
    // A number and a text of the same digits restore differently, so they are two forms of one thing.
    const { surrogate, entity, isNew } = identities.surrogateFor(finding.entity, original, key, number);
    if (isNew) {
      if (entries.length >= LIMIT.distinctIdentifiers) return null;
      const phi = new Phi(original);
      entries.push(number ? { surrogate, entity, original: phi, number } : { surrogate, entity, original: phi });
    }
    const written = number ? quote + surrogate + quote : surrogate;
    spans[at]?.push({ start, end, entity, score, surrogate: written });
  }
  if (ordered !== findings) for (const list of spans) list.sort((a, b) => a.start - b.start);
  return { spans, entries };
}

/** What a piece of a site's raw text says. */
function originalOf({ format }: TextSite, raw: string, number: boolean): string {
  return format === 'text' ? plainOf(raw) : number ? raw : decodeOnce(raw);
}

/** By message, site and place. One message's findings are in order already. */
function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const since = findings[0]?.since;
  let isOne = true;
  for (const finding of findings) if (finding.since !== since) isOne = false;
  if (isOne) return findings;
  return findings.toSorted((a, b) => a.since - b.since || a.site - b.site || a.start - b.start);
}

const MAX_ESCAPED = 3;
/** What means something in JSON: a text that holds one needs its escapes where it stood. */
// oxlint-disable-next-line no-control-regex
const MARK = /["\\\u0000-\u001f]/;

/**
 * JSON in a text, as Python's `json.dumps` writes it (`Jos\\u00e9`), read as what it says: a model that names the person in
 * prose or in a tool's arguments must give back `José`, and it is the same person as in plain text. Both spellings are the same
 * JSON value.
 */
function plainOf(text: string): string {
  if (!text.includes('\\u')) return text;
  let plain = text;
  for (let i = 0; i < MAX_ESCAPED && plain.includes('\\u'); i++) {
    try {
      plain = JSON.parse(`"${plain}"`) as string;
    } catch {
      return text;
    }
  }
  return plain === text || MARK.test(plain) || !plain.isWellFormed() ? text : plain;
}

/** The text that a piece of a JSON string stands for. */
function decodeOnce(raw: string): string {
  if (!raw.includes('\\')) return raw;
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    throw new DetectorError('json offsets');
  }
}

function rewrite(sites: readonly TextSite[], spans: readonly SurrogateSpan[][]) {
  const counts: Partial<Record<Entity, number>> = {};
  const texts = sites.map(({ text }, index) => {
    // Joined at once: a text that grows by pieces is a tree of them in memory.
    const pieces: string[] = [];
    let at = 0;
    for (const { start, end, entity, surrogate } of spans[index] ?? []) {
      pieces.push(text.slice(at, start), surrogate);
      at = end;
      counts[entity] = (counts[entity] ?? 0) + 1;
    }
    if (at === 0) return text;
    pieces.push(text.slice(at));
    return pieces.join('');
  });
  return { texts, counts, spans };
}
