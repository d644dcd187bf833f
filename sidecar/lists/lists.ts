import { readFile, stat } from 'node:fs/promises';
import { LIMIT } from '#contract/limit.ts';
import { deriveListKey, type ListKey } from '#contract/list-key.ts';
import { type ListTable, parseListTable } from '#contract/list-table.ts';
import { DetectorError } from '#phi/detector-error.ts';
import { createListed, type Listed } from '#phi/listed.ts';

/** Where the tables lie and how they are looked at. */
export interface ListsOptions {
  /** Tables of `lazaret lists build`; none: there are no lists. */
  readonly files: readonly string[];
  /** The secret that they were made with. */
  readonly keyFile: string | null;
  /** Told why the lists cannot be used, once for each fault; the sentence names a file and nothing of its content. */
  readonly onFault?: (sentence: string) => void;
  /** How often the files are looked at; default `LIMIT.listPollMs`. */
  readonly pollMs?: number;
}

/** The deployer's lists of this process. */
export interface Lists {
  /**
   * @returns the lists to examine with, undefined where none are configured
   * @throws DetectorError while a table is missing, damaged or made with another key: without it the detector would find less
   */
  names(): Listed | undefined;
  /** Looks at the files now. */
  check(): Promise<void>;
  close(): void;
}

/** Opens the lists and looks for new ones at intervals. A bad table is no error here: every exchange is refused while it is bad. */
export async function openLists(options: ListsOptions): Promise<Lists> {
  const keeper = new ListKeeper(options);
  await keeper.check();
  keeper.watch();
  return keeper;
}

class ListKeeper implements Lists {
  readonly #options: ListsOptions;
  #listed: Listed | null = null;
  #seen: string | null = null;
  #reported: string | null = null;
  #checking: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ListsOptions) {
    this.#options = options;
  }

  names(): Listed | undefined {
    if (this.#options.files.length === 0) return undefined;
    if (this.#listed === null) throw new DetectorError('lists');
    return this.#listed;
  }

  check(): Promise<void> {
    if (this.#options.files.length === 0) return Promise.resolve();
    // One look at a time: two could take their files in the wrong order.
    this.#checking ??= this.#look().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  watch(): void {
    if (this.#closed || this.#options.files.length === 0) return;
    const wait = this.#options.pollMs ?? LIMIT.listPollMs;
    this.#timer = setTimeout(() => void this.check().then(() => this.watch()), wait);
    this.#timer.unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    try {
      const state = await stateOf([...this.#options.files, this.#options.keyFile ?? '']);
      if (state === this.#seen) return;
      this.#listed = await load(this.#options);
      // As it was before the reading: what is written meanwhile is read again.
      this.#seen = state;
      this.#reported = null;
    } catch (fault) {
      this.#listed = null;
      this.#seen = null;
      const sentence = fault instanceof ListFault ? fault.message : 'the lists could not be loaded';
      if (sentence !== this.#reported) this.#options.onFault?.(sentence);
      this.#reported = sentence;
    }
  }
}

/** Why a list cannot be used, in a sentence for the operator. */
class ListFault extends Error {
  override readonly name = 'ListFault';
}

async function load({ files, keyFile }: ListsOptions): Promise<Listed> {
  if (files.length > LIMIT.listTables) throw new ListFault(`there are more than ${LIMIT.listTables} lists`);
  const key = await readKey(keyFile);
  const tables: ListTable[] = [];
  let room = LIMIT.listBytes;
  for (const file of files) {
    const { size } = await tellFault(file, stat(file));
    room -= size;
    if (room < 0) throw new ListFault(`${file} and the lists before it are more than ${LIMIT.listBytes} bytes`);
    const table = parseListTable(await tellFault(file, readFile(file)), key);
    if (typeof table === 'string') throw new ListFault(`${file} ${table}`);
    tables.push(table);
  }
  return createListed(tables, key);
}

async function readKey(file: string | null): Promise<ListKey> {
  if (file === null) throw new ListFault('LAZARET_LISTS needs LAZARET_LISTS_KEY');
  const key = deriveListKey(await tellFault(file, readFile(file, 'utf8')));
  if (key === null) throw new ListFault(`${file} is too short for a key`);
  return key;
}

/** What tells that a file was replaced or written. */
async function stateOf(files: readonly string[]): Promise<string> {
  const states = await Promise.all(files.map(async (file) => await tellFault(file, stat(file, { bigint: true }))));
  return states.map(({ ino, size, mtimeNs, ctimeNs }) => `${ino} ${size} ${mtimeNs} ${ctimeNs}`).join();
}

async function tellFault<T>(file: string, reading: Promise<T>): Promise<T> {
  return await reading.catch(() => {
    throw new ListFault(`${file === '' ? 'LAZARET_LISTS_KEY' : file} cannot be read`);
  });
}
