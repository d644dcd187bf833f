import { LIMIT } from '#contract/limit.ts';
import type { RawObject } from '../ports.ts';
import { ApiError, isStatus, type KubeApi, parseObject } from './api.ts';
import type { Backoff } from './backoff.ts';
import { fieldOf, listOf, type ObjectChange, type ResourceStore, textOf, versionOf } from './resource-store.ts';

/** What is watched, and who is told. */
export interface WatchedResource<T> {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly store: ResourceStore<T>;
  /** After the store shows it. @param version resourceVersion of the list or of the event */
  readonly onChange: (version: number) => void;
}

/** What a watch needs of the world. */
export interface WatchPorts {
  readonly api: KubeApi;
  readonly backoff: () => Backoff;
  /** @param code a word of ours, such as WATCH_SILENT, or a status */
  readonly onFault: (path: string, code: string) => void;
}

/**
 * Keeps a store like the API server's list until the signal aborts: lists, watches from there, goes on after a cut where
 * it was, lists anew when the server no longer knows that place (410) or said something that cannot be read.
 */
export async function followResource<T>(
  resource: WatchedResource<T>,
  ports: WatchPorts,
  signal: AbortSignal,
): Promise<void> {
  const backoff = ports.backoff();
  let version = 0;
  while (!signal.aborted) {
    try {
      if (version === 0) version = await listResource(resource, ports.api);
      const before = version;
      const progress = watchFrom(resource, ports.api, signal);
      for await (version of progress(version)) backoff.reset();
      // A server that ends every watch at once is asked less and less often.
      if (version === before) await backoff.wait(signal);
    } catch (fault) {
      if (signal.aborted) return;
      if (isLost(fault)) version = 0;
      ports.onFault(resource.path, fault instanceof ApiError ? faultWord(fault) : 'FAULT');
      await backoff.wait(signal);
    }
  }
}

/**
 * Lists a resource page by page and takes the list in when it is whole.
 * @returns the list's version
 * @throws ApiError when the API server does not answer
 */
export async function listResource<T>(resource: WatchedResource<T>, api: KubeApi): Promise<number> {
  const draft = resource.store.draft();
  let page: RawObject = {};
  let token = '';
  do {
    const query = { ...resource.query, limit: String(LIMIT.apiPage), ...(token === '' ? {} : { continue: token }) };
    page = await api.call({ method: 'GET', path: resource.path, query });
    for (const object of listOf(page, 'items')) draft.add(object);
    token = textOf(fieldOf(page, 'metadata'), 'continue');
  } while (token !== '');
  const version = versionOf(page);
  if (version === 0) throw new ApiError(0, 'NO_VERSION', `GET ${resource.path}`);
  if (resource.store.replace(draft, version)) resource.onChange(version);
  return version;
}

function watchFrom<T>(resource: WatchedResource<T>, api: KubeApi, signal: AbortSignal) {
  return async function* progress(from: number): AsyncGenerator<number> {
    const query = {
      ...resource.query,
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: String(from),
      timeoutSeconds: String(LIMIT.watchMs / 1_000),
    };
    for await (const line of api.watch(resource.path, query, signal)) {
      const event = readEvent(line, resource.path);
      const version = versionOf(event.object);
      if (version === 0) throw new UnreadableEvent(0, 'NO_VERSION', resource.path);
      if (event.type !== 'BOOKMARK' && resource.store.apply(event.type, event.object)) resource.onChange(version);
      yield version;
    }
  };
}

/** What came cannot be read, so something may be missing. */
class UnreadableEvent extends ApiError {}

function readEvent(
  line: Buffer,
  path: string,
): { readonly type: ObjectChange | 'BOOKMARK'; readonly object: RawObject } {
  const event = readLine(line, path);
  const object = fieldOf(event, 'object');
  const type = textOf(event, 'type');
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK') return { type, object };
  if (type === 'ERROR') {
    const { code } = object;
    throw new ApiError(typeof code === 'number' ? code : 0, 'WATCH_ERROR', `watch of ${path}`);
  }
  throw new UnreadableEvent(0, 'EVENT_UNKNOWN', `watch of ${path}`);
}

function readLine(line: Buffer, path: string): RawObject {
  try {
    return parseObject(line, `watch of ${path}`);
  } catch {
    throw new UnreadableEvent(0, 'EVENT_UNREADABLE', `watch of ${path}`);
  }
}

function isLost(fault: unknown): boolean {
  const large = fault instanceof ApiError && fault.code === 'EVENT_TOO_LARGE';
  return isStatus(fault, 410) || fault instanceof UnreadableEvent || large || !(fault instanceof ApiError);
}

function faultWord(fault: ApiError): string {
  return fault.status === 0 ? fault.code : String(fault.status);
}
