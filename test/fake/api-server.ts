// A small stand-in for the Kubernetes API server: objects with resourceVersions, lists in pages, watches with bookmarks,
// conflicts, 410, and the faults of a network. It does not validate, admit or authorize.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type FakeObject = Readonly<Record<string, unknown>> & { readonly metadata: Readonly<Record<string, unknown>> };

interface Stored {
  readonly collection: string;
  readonly object: FakeObject;
}

interface Event {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly collection: string;
  readonly object: FakeObject;
}

interface Watcher {
  readonly place: Place;
  readonly response: ServerResponse;
}

interface Place {
  /** Such as `/api/v1 pods`: group version and resource. */
  readonly collection: string;
  readonly namespace: string | null;
  readonly name: string | null;
}

/** What a test may ask of the stand-in. */
export interface FakeApi {
  readonly url: URL;
  /** Creates or replaces an object. @returns its resourceVersion */
  readonly put: (path: string, object: FakeObject) => number;
  readonly get: (path: string) => FakeObject | undefined;
  readonly remove: (path: string) => void;
  /** The last resourceVersion. */
  readonly version: () => number;
  /** Requests so far, such as `GET /api/v1/pods`; a watch is `WATCH /api/v1/pods`. */
  readonly calls: readonly string[];
  /** Answers of this kind until the returned function is called. */
  readonly refuse: (matches: (call: string) => boolean, status: number) => () => void;
  /** Forgets events: watches from before get 410. */
  readonly compact: () => void;
  /** Breaks every watch off without a word. */
  readonly cutWatches: () => void;
  /** Ends every watch as a server does after its time. */
  readonly endWatches: () => void;
  /** Events are kept back until the returned function is called. */
  readonly holdEvents: (collection: string) => () => void;
  /** Sends a raw line to every watch. */
  readonly say: (line: string) => void;
  readonly bookmark: () => void;
  readonly close: () => Promise<void>;
}

/** Starts the stand-in on loopback. @param token what `authorization` must carry, when it is given */
export async function startFakeApi(token?: string): Promise<FakeApi> {
  const stored = new Map<string, Stored>();
  const events: Event[] = [];
  const watchers = new Set<Watcher>();
  const calls: string[] = [];
  const refusals = new Set<{ readonly matches: (call: string) => boolean; readonly status: number }>();
  const held = new Map<string, Event[]>();
  let version = 100;
  let forgotten = 0;

  const tell = (event: Event): void => {
    const kept = held.get(event.collection);
    if (kept !== undefined) return void kept.push(event);
    for (const { place, response } of watchers)
      if (isIn(place, event)) response.write(`${JSON.stringify({ type: event.type, object: event.object })}\n`);
  };
  const record = (type: Event['type'], collection: string, object: FakeObject): FakeObject => {
    version += 1;
    const versioned = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    const event = { version, type, collection, object: versioned };
    events.push(event);
    tell(event);
    return versioned;
  };
  const put = (path: string, { stringData, ...given }: FakeObject): FakeObject => {
    const place = parsePlace(path);
    const before = stored.get(path)?.object;
    const object = {
      ...given,
      metadata: {
        uid: `uid-${path}`,
        ...(place.namespace && { namespace: place.namespace }),
        name: place.name,
        ...given.metadata,
      },
    };
    const clear = Object.entries((stringData ?? {}) as Record<string, string>);
    const data = Object.fromEntries(clear.map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
    const whole = clear.length === 0 ? object : { ...object, data: { ...(given.data as object), ...data } };
    const versioned = record(before === undefined ? 'ADDED' : 'MODIFIED', place.collection, whole);
    stored.set(path, { collection: place.collection, object: versioned });
    return versioned;
  };
  const remove = (path: string): void => {
    const found = stored.get(path);
    if (found === undefined) return;
    stored.delete(path);
    record('DELETED', found.collection, found.object);
  };
  const list = (place: Place, query: URLSearchParams): unknown => {
    const all = [...stored.values()].filter((item) => isIn(place, item)).map(({ object }) => object);
    const named = query.get('fieldSelector')?.replace('metadata.name=', '');
    const chosen = named === undefined ? all : all.filter(({ metadata }) => metadata.name === named);
    const from = Number(query.get('continue') ?? 0);
    const limit = Number(query.get('limit') ?? chosen.length);
    const more = from + limit < chosen.length;
    const metadata = { resourceVersion: String(version), ...(more ? { continue: String(from + limit) } : {}) };
    return { kind: 'List', apiVersion: 'v1', metadata, items: chosen.slice(from, from + limit) };
  };
  const watch = (place: Place, query: URLSearchParams, response: ServerResponse): void => {
    const from = Number(query.get('resourceVersion'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (from < forgotten) {
      const object = { kind: 'Status', code: 410, reason: 'Expired', metadata: {} };
      return void response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
    }
    for (const event of events)
      if (event.version > from && isIn(place, event) && !held.get(event.collection)?.includes(event))
        response.write(`${JSON.stringify({ type: event.type, object: event.object })}\n`);
    const watcher = {
      place: { ...place, name: query.get('fieldSelector')?.replace('metadata.name=', '') ?? null },
      response,
    };
    watchers.add(watcher);
    response.on('close', () => watchers.delete(watcher));
  };
  const answer = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '', 'http://fake');
    const isWatch = query.get('watch') === 'true';
    const call = `${isWatch ? 'WATCH' : request.method} ${path}`;
    calls.push(call);
    const fail = (status: number): void => answer(response, status, { kind: 'Status', code: status });
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) return fail(401);
    const refused = [...refusals].find(({ matches }) => matches(call));
    if (refused !== undefined) return fail(refused.status);
    const place = parsePlace(path);
    const body = await readBody(request);
    if (isWatch) return watch(place, query, response);
    if (request.method === 'POST') {
      const object = body as FakeObject;
      const full = `${path}/${String(object.metadata.name)}`;
      return stored.has(full) ? fail(409) : answer(response, 201, put(full, object));
    }
    const found = stored.get(path)?.object;
    if (request.method === 'GET' && place.name === null) return answer(response, 200, list(place, query));
    if (found === undefined) return answer(response, 404, { kind: 'Status', code: 404, details: { name: place.name } });
    if (request.method === 'GET') return answer(response, 200, found);
    const given = body as FakeObject;
    if (request.method === 'PUT') {
      const stale =
        given.metadata.resourceVersion !== undefined &&
        given.metadata.resourceVersion !== found.metadata.resourceVersion;
      return stale ? fail(409) : answer(response, 200, put(path, given));
    }
    if (request.method !== 'PATCH') return fail(405);
    const patched =
      request.headers['content-type'] === 'application/json-patch+json'
        ? applyOperations(found, body)
        : merge(found, body);
    return patched === null ? fail(422) : answer(response, 200, put(path, patched as FakeObject));
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => answer(response, 500, {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sendAll = (line: string): void => watchers.forEach(({ response }) => response.write(`${line}\n`));
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    put: (path, object) => Number(put(path, object).metadata.resourceVersion),
    get: (path) => stored.get(path)?.object,
    remove,
    version: () => version,
    calls,
    refuse: (matches, status) => {
      const refusal = { matches, status };
      refusals.add(refusal);
      return () => refusals.delete(refusal);
    },
    compact: () => {
      forgotten = version + 1;
      version += 1;
      events.length = 0;
    },
    cutWatches: () => watchers.forEach(({ response }) => response.destroy()),
    endWatches: () => watchers.forEach(({ response }) => response.end()),
    holdEvents: (collection) => {
      held.set(collection, []);
      return () => {
        const kept = held.get(collection) ?? [];
        held.delete(collection);
        kept.forEach(tell);
      };
    },
    say: sendAll,
    bookmark: () =>
      sendAll(JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version) } } })),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Splits a path such as `/apis/apps/v1/namespaces/x/deployments/y`. */
function parsePlace(path: string): Place {
  const parts = path.split('/').slice(1);
  const group = parts[0] === 'api' ? parts.splice(0, 2) : parts.splice(0, 3);
  const namespaced = parts[0] === 'namespaces' && parts.length > 2;
  const namespace = namespaced ? (parts[1] ?? null) : null;
  const [resource = '', name = null] = namespaced ? parts.slice(2) : parts;
  return { collection: `${group.join('/')} ${resource}`, namespace, name };
}

function isIn(
  place: Place,
  { collection, object }: { readonly collection: string; readonly object: FakeObject },
): boolean {
  const { namespace, name } = object.metadata;
  return (
    place.collection === collection &&
    (place.namespace === null || place.namespace === namespace) &&
    (place.name === null || place.name === name)
  );
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  const text = Buffer.concat(parts).toString('utf8');
  return text === '' ? undefined : JSON.parse(text);
}

/** RFC 6902, as far as `test`, `add`, `replace` and `remove` of object members and list items go. @returns null when a test fails */
function applyOperations(object: unknown, operations: unknown): unknown {
  const copy: unknown = structuredClone(object);
  for (const { op, path, value } of operations as readonly { op: string; path: string; value?: unknown }[]) {
    const keys = path
      .split('/')
      .slice(1)
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() ?? '';
    const parent = keys.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], copy) as
      | Record<string, unknown>
      | undefined;
    if (parent === undefined) return null;
    if (op === 'test' && JSON.stringify(parent[last]) !== JSON.stringify(value)) return null;
    if (op === 'add' || op === 'replace') parent[last] = value;
    if (op === 'remove') delete parent[last];
  }
  return copy;
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {};
  const entries = Object.entries(patch).map(([key, value]): [string, unknown] => [
    key,
    value === null ? undefined : merge((base as Record<string, unknown>)[key], value),
  ]);
  const merged = { ...base, ...Object.fromEntries(entries) };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}
