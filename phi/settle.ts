import { LIMIT } from '#contract/limit.ts';
import type { TextSite } from '#contract/text-site.ts';
import { TooManyFindings } from './detector-error.ts';
import type { Finding } from './finding.ts';
import { uncoveredLookalikes } from './lookalike.ts';

/** The findings of each site made disjoint, in the order of the sites. @throws TooManyFindings beyond `LIMIT.identifiers` */
export function settle(sites: readonly TextSite[], raw: ReadonlyMap<number, Finding[]>): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [index, site] of sites.entries()) {
    for (const finding of disjoint(withLookalikes(site, index, raw.get(index) ?? []), site.text))
      findings.push(finding);
    if (findings.length > LIMIT.identifiers) throw new TooManyFindings();
  }
  return findings;
}

/** Text in the raw input that only looks like a surrogate, also where an escape makes it look so: it is never ours. */
function withLookalikes(site: TextSite, index: number, list: Finding[]): Finding[] {
  for (const range of uncoveredLookalikes(site.text, list))
    list.push({
      site: index,
      start: range.start,
      end: range.end,
      entity: 'other',
      score: 1,
      since: site.message,
      key: undefined,
      quote: undefined,
    });
  return list;
}

/**
 * What an earlier message made known stays as it is; later evidence fills only what is left, so that nothing is renumbered.
 * Among equals the union is redacted and the strongest names it.
 */
function disjoint(list: Finding[], text: string): Finding[] {
  const done: Finding[] = [];
  sortFindings(list);
  if (list.length === 0 || list[0]?.since === list.at(-1)?.since) {
    // By index: a short loop is seldom compiled so well that its iterator costs nothing.
    for (let i = 0; i < list.length; i++) addUnion(done, list[i] as Finding);
    return done;
  }
  for (let i = 0; i < list.length; ) {
    const since = (list[i] as Finding).since;
    const level: Finding[] = [];
    for (; i < list.length && list[i]?.since === since; i++) addUnion(level, list[i] as Finding);
    const merged =
      done.length === 0
        ? level
        : level
            .flatMap((finding) => remainders(finding, done))
            .filter(({ start, end }) => /[\p{L}\p{N}]/u.test(text.slice(start, end)));
    for (const finding of merged) done.push(finding);
    done.sort((a, b) => a.start - b.start);
  }
  return done;
}

/** Lists up to this length are sorted by insertion: what a recognizer found is in order already, and what the evidence adds to it is little. */
const SHORT = 64;

function sortFindings(list: Finding[]): void {
  if (list.length > SHORT) {
    list.sort(compareFindings);
    return;
  }
  for (let i = 1; i < list.length; i++) {
    const finding = list[i] as Finding;
    let at = i;
    for (; at > 0 && compareFindings(list[at - 1] as Finding, finding) > 0; at--) list[at] = list[at - 1] as Finding;
    list[at] = finding;
  }
}

/** By message, by place; the longer one first. */
function compareFindings(a: Finding, b: Finding): number {
  return a.since - b.since || a.start - b.start || b.end - a.end;
}

function addUnion(level: Finding[], next: Finding): void {
  const last = level.at(-1);
  if (last === undefined || next.start >= last.end) {
    level.push(next);
    return;
  }
  // What a recognizer found the evidence mostly finds again.
  if (next.score <= last.score && next.end <= last.end) return;
  const { entity, score, since, key, quote, site, start, end: own } = next.score > last.score ? next : last;
  const end = Math.max(last.end, next.end);
  const grown = start !== last.start || own !== end;
  level[level.length - 1] = { site, start: last.start, end, entity, score, since, key: grown ? undefined : key, quote };
}

/** The parts of a finding that no earlier one covers. */
function remainders(finding: Finding, done: readonly Finding[]): Finding[] {
  const parts: Finding[] = [];
  let start = finding.start;
  for (let i = firstEndingAfter(done, start); i < done.length && (done[i] as Finding).start < finding.end; i++) {
    const taken = done[i] as Finding;
    if (taken.start > start) parts.push({ ...finding, start, end: taken.start });
    start = Math.max(start, taken.end);
  }
  if (start < finding.end) parts.push({ ...finding, start });
  return finding.quote === undefined || parts.length === 0 ? parts : parts.slice(0, 0);
}

function firstEndingAfter(done: readonly Finding[], at: number): number {
  let low = 0;
  let high = done.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((done[middle] as Finding).end <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
