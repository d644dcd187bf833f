import type { RawObject } from '../ports.ts';

/** Keys of an object. */
export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

/** What happened to an object. */
export type ObjectChange = 'ADDED' | 'MODIFIED' | 'DELETED';

interface Kept<T> {
  readonly value: T;
  readonly version: number;
}

/** The objects of one resource as last seen, each in the form that is kept of it. */
export class ResourceStore<T> {
  readonly #project: (object: RawObject) => T;
  readonly #isSame: (before: T, after: T) => boolean;
  #objects = new Map<string, Kept<T>>();
  /** Events up to here are older than the last list and say nothing new. */
  #listed = 0;
  #edition = 0;

  /**
   * @param project what is kept of an object
   * @param isSame whether a change of an object is none that anybody asks about, such as one of its status
   */
  constructor(project: (object: RawObject) => T, isSame: (before: T, after: T) => boolean = () => false) {
    this.#project = project;
    this.#isSame = isSame;
  }

  /** Grows with everything that was taken in, such as a status that `apply` does not tell of. */
  get edition(): number {
    return this.#edition;
  }

  values(): readonly T[] {
    return [...this.#objects.values()].map(({ value }) => value);
  }

  *each(): Iterable<T> {
    for (const { value } of this.#objects.values()) yield value;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(keyText(key))?.value;
  }

  /**
   * Takes a whole list in. A list that is older than the last one changes nothing.
   * @param version of the list
   * @returns whether it was taken
   */
  replace(list: ListDraft<T>, version: number): boolean {
    if (version < this.#listed) return false;
    this.#objects = list.objects;
    this.#listed = version;
    this.#edition += 1;
    return true;
  }

  /** A list that is still coming in, page by page; only what is kept of its objects stays in memory. */
  draft(): ListDraft<T> {
    const objects = new Map<string, Kept<T>>();
    const add = (object: RawObject): void => {
      const { key, version } = identify(object);
      objects.set(key, { value: this.#project(object), version });
    };
    return { objects, add };
  }

  /**
   * Takes one event in. One that is older than what is known is left out: after a fresh list a watch that is behind may
   * still tell of objects that are gone.
   * @returns whether anything changed that somebody asks about
   */
  apply(change: ObjectChange, object: RawObject): boolean {
    const { key, version } = identify(object);
    const before = this.#objects.get(key);
    if (version <= this.#listed || version <= (before?.version ?? 0)) return false;
    this.#edition += 1;
    if (change === 'DELETED') return this.#objects.delete(key);
    const value = this.#project(object);
    this.#objects.set(key, { value, version });
    return before === undefined || !this.#isSame(before.value, value);
  }
}

/** See `ResourceStore.draft`. */
export interface ListDraft<T> {
  readonly objects: Map<string, Kept<T>>;
  readonly add: (object: RawObject) => void;
}

/** The number of an object's or list's resourceVersion; 0 where it has none (KEP-5504: they compare as numbers). */
export function versionOf(object: RawObject): number {
  const version = metaOf(object).resourceVersion;
  return typeof version === 'string' && /^\d{1,15}$/.test(version) ? Number(version) : 0;
}

/** An object's metadata, or an empty object. */
export function metaOf(object: RawObject): RawObject {
  return fieldOf(object, 'metadata');
}

/** A field that should hold an object, or an empty one. */
export function fieldOf(object: RawObject, name: string): RawObject {
  const value = object[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as RawObject) : {};
}

/** A field that should hold a text, or an empty one. */
export function textOf(object: RawObject, name: string): string {
  const value = object[name];
  return typeof value === 'string' ? value : '';
}

/** A field that should hold a list of objects, or an empty one. */
export function listOf(object: RawObject, name: string): readonly RawObject[] {
  const value = object[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : [];
}

/** A field that should map texts to texts, or an empty map; what is no text is left out. */
export function textMapOf(object: RawObject, name: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fieldOf(object, name)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function identify(object: RawObject): { readonly key: string; readonly version: number } {
  const meta = metaOf(object);
  return {
    key: keyText({ namespace: textOf(meta, 'namespace'), name: textOf(meta, 'name') }),
    version: versionOf(object),
  };
}

function keyText({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`;
}
