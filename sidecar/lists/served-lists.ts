import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Entity } from '#contract/entity.ts';
import { LIMIT } from '#contract/limit.ts';
import { deriveListKey } from '#contract/list-key.ts';
import { type ListTable, parseListTable } from '#contract/list-table.ts';
import type { PolicyLists } from '#contract/lists-protocol.ts';
import { DetectorError } from '#phi/detector-error.ts';
import { createListed, type Listed } from '#phi/listed.ts';
import type { BundleServer } from '../bundle/bundle-client.ts';
import { createFaultReport, type FaultReport } from '../bundle/fault-report.ts';
import { backOff } from '../bundle/follow-server.ts';
import { type FetchedLists, fetchLists } from './fetch-lists.ts';

/** Where lists are had and who is told of them. */
export interface ServedListsOptions {
  /** The controller; null where there is none, and then lists that policy names cannot be had. */
  readonly server: BundleServer | null;
  /** What the last verified policy says of lists, stale or not. */
  readonly wanted: () => PolicyLists | undefined;
  /** Told of lists that are in force from now on: entries by kind. */
  readonly onLoad?: (entities: Readonly<Partial<Record<Entity, number>>>) => void;
  /** Told why lists cannot be used or had, once for each cause. */
  readonly onFault?: (sentence: string) => void;
  /** The shortest wait between two requests; default `LIMIT.bundleRetryMs`. */
  readonly retryMs?: number;
}

/** The lists that the signed policy names, fetched from the controller and held in memory only. */
export interface ServedLists {
  /**
   * @returns the lists to examine with, undefined where policy names none
   * @throws DetectorError while policy names lists and none were had, or says that they cannot be used
   */
  names(): Listed | undefined;
  /** Whether it has to be waited for them. */
  waiting(): boolean;
  /** Looks at policy now. */
  consider(): void;
  close(): void;
}

/** Lists are taken when policy names others. Until those are there the former ones stay in force. */
export function openServedLists(options: ServedListsOptions): ServedLists {
  const lists = new ListsFollower(options);
  lists.consider();
  return lists;
}

class ListsFollower implements ServedLists {
  readonly #options: ServedListsOptions;
  readonly #faults: FaultReport;
  #loaded: { readonly tag: string; readonly listed: Listed } | null = null;
  #fetching: { readonly tag: string; readonly stop: AbortController } | null = null;

  constructor(options: ServedListsOptions) {
    this.#options = options;
    this.#faults = createFaultReport((sentence) => options.onFault?.(sentence));
  }

  names(): Listed | undefined {
    const wanted = this.#options.wanted();
    if (wanted === undefined) return undefined;
    if ('fault' in wanted || this.#loaded === null) throw new DetectorError('lists');
    return this.#loaded.listed;
  }

  waiting(): boolean {
    const wanted = this.#options.wanted();
    return wanted !== undefined && 'tag' in wanted && this.#loaded === null;
  }

  consider(): void {
    const wanted = this.#options.wanted();
    if (wanted === undefined) this.#loaded = null;
    if (wanted !== undefined && 'fault' in wanted)
      this.#faults.tell(`the lists cannot be used and everything is refused: ${wanted.fault}`);
    const tag = wanted !== undefined && 'tag' in wanted ? wanted.tag : null;
    if (this.#fetching !== null && this.#fetching.tag === tag) return;
    this.close();
    if (tag === null) return;
    if (tag === this.#loaded?.tag) return this.#faults.clear();
    const stop = new AbortController();
    this.#fetching = { tag, stop };
    void this.#follow(tag, stop.signal);
  }

  close(): void {
    this.#fetching?.stop.abort();
    this.#fetching = null;
  }

  async #follow(tag: string, stopped: AbortSignal): Promise<void> {
    const { server, retryMs = LIMIT.bundleRetryMs } = this.#options;
    if (server === null) return this.#faults.tell('policy names lists, and there is no controller to have them from');
    for (let attempts = 1; ; attempts++) {
      const answer = await fetchLists(server, tag, stopped);
      const taken = 'why' in answer ? answer.why : await loadLists(answer);
      if (stopped.aborted) return;
      if (typeof taken !== 'string') return this.#take(tag, taken);
      const meanwhile = this.#loaded === null ? 'everything is refused' : 'the former ones stay in force';
      this.#faults.tell(`the lists were not taken: ${taken}; meanwhile ${meanwhile}`);
      await sleep(backOff(retryMs, attempts), undefined, { signal: stopped, ref: false }).catch(() => undefined);
    }
  }

  #take(tag: string, { listed, entities }: Loaded): void {
    this.#loaded = { tag, listed };
    this.#fetching = null;
    this.#faults.clear();
    this.#options.onLoad?.(entities);
  }
}

interface Loaded {
  readonly listed: Listed;
  readonly entities: Readonly<Partial<Record<Entity, number>>>;
}

/** @returns the lists, or half a sentence that says what is wrong with them */
async function loadLists({ head, tables }: FetchedLists): Promise<Loaded | string> {
  const key = deriveListKey(head.key);
  if (key === null) return 'their key is too short';
  const entities: Partial<Record<Entity, number>> = {};
  const parsed: ListTable[] = [];
  for (const [at, bytes] of tables.entries()) {
    // Verifying a large table takes a moment: exchanges get their turn between two of them.
    await nextTurn();
    const table = parseListTable(bytes, key);
    if (typeof table === 'string') return `${head.tables[at]?.name ?? 'a table'} ${table}`;
    parsed.push(table);
    for (const [kind, count] of Object.entries(table.header.entities) as [Entity, number][])
      entities[kind] = (entities[kind] ?? 0) + count;
  }
  return { listed: createListed(parsed, key), entities };
}
