import { LIMIT } from '#contract/limit.ts';
import type { PolicyLists } from '#contract/lists-protocol.ts';
import { findListFiles, ListFault, type ListFile, type LoadedLists, loadLists } from './list-folder.ts';

/** Where the lists lie and who is told of them. */
export interface ReleaseListsOptions {
  /** The folder with a folder for each Secret; undefined where the release has no lists. */
  readonly root: string | undefined;
  /** Told of lists that are in force from now on. */
  readonly onLoad?: (loaded: Pick<LoadedLists, 'tables' | 'entities' | 'bytes'>) => void;
  /** Told why lists cannot be used, once for each cause. */
  readonly onFault?: (sentence: string) => void;
  /** How often the folder is looked at; default `LIMIT.listPollMs`. */
  readonly pollMs?: number;
}

/** The lists of the release, as policy names them and sidecars fetch them. */
export interface ReleaseLists {
  /** What policy says of them, the same object while it is the same; undefined where there are none. */
  inPolicy(): PolicyLists | undefined;
  /** @returns the parts of an answer to who asks for this tag; null when these are not the lists in force here */
  find(tag: string): LoadedLists | null;
  /** @returns the way to stop */
  onChange(listener: () => void): () => void;
  /** Looks at the folder now. */
  check(): Promise<void>;
  close(): void;
}

/** Opens the lists and looks for others at intervals. Lists that cannot be used are no error here: policy says so then. */
export async function openReleaseLists(options: ReleaseListsOptions): Promise<ReleaseLists> {
  const keeper = new ListsKeeper(options);
  await keeper.check();
  keeper.watch();
  return keeper;
}

/** How often a folder is read again that changed while it was read; then it waits for the next look. */
const READINGS = 3;

/** What one reading gave. */
interface Reading {
  /** The lists, or why they cannot be used. */
  readonly result: LoadedLists | string;
  /** What was read; null when it changed meanwhile or could not be found: then it is read again. */
  readonly state: string | null;
}

class ListsKeeper implements ReleaseLists {
  readonly #options: ReleaseListsOptions;
  readonly #listeners = new Set<() => void>();
  #loaded: LoadedLists | null = null;
  #inPolicy: PolicyLists | undefined;
  #seen: string | null = null;
  #checking: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ReleaseListsOptions) {
    this.#options = options;
  }

  inPolicy(): PolicyLists | undefined {
    return this.#inPolicy;
  }

  find(tag: string): LoadedLists | null {
    return this.#loaded?.tag === tag ? this.#loaded : null;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  check(): Promise<void> {
    const { root } = this.#options;
    if (root === undefined) return Promise.resolve();
    // One look at a time: two could take their files in the wrong order.
    this.#checking ??= this.#look(root).finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  watch(): void {
    if (this.#closed || this.#options.root === undefined) return;
    this.#timer = setTimeout(
      () => void this.check().then(() => this.watch()),
      this.#options.pollMs ?? LIMIT.listPollMs,
    );
    this.#timer.unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  async #look(root: string): Promise<void> {
    let reading = await this.#read(root);
    for (let readings = 1; readings < READINGS && reading?.state === null; readings++) reading = await this.#read(root);
    if (reading === null) return;
    this.#seen = reading.state;
    if (typeof reading.result === 'string') this.#refuse(reading.result);
    else this.#take(reading.result);
  }

  /** @returns null when there is nothing new */
  async #read(root: string): Promise<Reading | null> {
    try {
      const files = await findListFiles(root);
      const state = stateOf(files);
      if (state === this.#seen) return null;
      const result = await loadLists(files).catch(sentenceOf);
      // A Secret that is replaced while it is read would give a key to another's table.
      const settled = stateOf(await findListFiles(root)) === state;
      return { result, state: settled ? state : null };
    } catch (fault) {
      return { result: sentenceOf(fault), state: null };
    }
  }

  #take(loaded: LoadedLists): void {
    if (this.#loaded?.tag === loaded.tag) return;
    this.#loaded = loaded;
    this.#inPolicy = { tag: loaded.tag };
    this.#options.onLoad?.(loaded);
    this.#tell();
  }

  #refuse(sentence: string): void {
    this.#loaded = null;
    if (this.#inPolicy !== undefined && 'fault' in this.#inPolicy && this.#inPolicy.fault === sentence) return;
    this.#inPolicy = { fault: sentence };
    this.#options.onFault?.(sentence);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function sentenceOf(fault: unknown): string {
  return fault instanceof ListFault ? fault.message : 'the lists could not be loaded';
}

function stateOf(files: readonly ListFile[]): string {
  return files.map(({ state }) => state).join();
}
