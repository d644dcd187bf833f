import type { ApiRequest } from '#controller/api-request.ts';
import { memberOf } from '#controller/api-request.ts';
import type { RawObject } from '#controller/ports.ts';
import type { FakeCluster } from './cluster-view.ts';

type Request = Parameters<ApiRequest>[0];

/** An API server in memory, as far as statuses, events and parameters go: versions grow, stale writes are refused. */
export class FakeApi {
  readonly requests: Request[] = [];
  readonly parameters = new Map<string, RawObject>();
  /** The API server answers everything with this, when it is set. */
  failing: number | null = null;
  readonly #cluster: FakeCluster;

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
  }

  readonly ask: ApiRequest = async (request) => {
    this.requests.push(request);
    if (this.failing !== null) return { status: this.failing, body: null };
    if (request.path.endsWith('/status')) return this.#patchStatus(request);
    if (request.path.includes('/policyparameters')) return this.#parameter(request);
    return { status: 201, body: null };
  };

  of(method: Request['method'], part: string): readonly Request[] {
    return this.requests.filter((request) => request.method === method && request.path.includes(part));
  }

  /** The events that were told: reason and name of the resource. */
  get events(): readonly string[] {
    return this.of('POST', '/events').map(
      ({ body }) => `${String(memberOf(body, 'reason'))} ${String(memberOf(memberOf(body, 'involvedObject'), 'name'))}`,
    );
  }

  #patchStatus({ path, body }: Request): { readonly status: number; readonly body: unknown } {
    const [kind, name] = path.split('/').slice(-3);
    const list = kind === 'provideragreements' ? 'agreements' : kind === 'egresspolicies' ? 'egress' : 'exemptions';
    const objects = this.#cluster.inputs[list];
    const index = objects.findIndex(({ metadata }) => memberOf(metadata, 'name') === name);
    const object = objects[index];
    if (object === undefined) return { status: 404, body: null };
    const version = memberOf(object.metadata, 'resourceVersion');
    if (version !== memberOf(memberOf(body, 'metadata'), 'resourceVersion')) return { status: 409, body: null };
    const revision = this.#cluster.inputs.revision + 1;
    const written: RawObject = {
      ...object,
      metadata: { ...(object.metadata as object), resourceVersion: String(revision) },
      status: memberOf(body, 'status'),
    };
    this.#cluster.change({ [list]: objects.with(index, written), revision });
    return { status: 200, body: written };
  }

  #parameter({ method, path, body }: Request): { readonly status: number; readonly body: unknown } {
    const name =
      method === 'POST' ? String(memberOf(memberOf(body, 'metadata'), 'name')) : (path.split('/').at(-1) ?? '');
    const known = this.parameters.get(name);
    if (method === 'GET') return known === undefined ? { status: 404, body: null } : { status: 200, body: known };
    if (method === 'POST' && known !== undefined) return { status: 409, body: null };
    if (method === 'PUT') {
      const version = memberOf(memberOf(known, 'metadata'), 'resourceVersion');
      if (version !== memberOf(memberOf(body, 'metadata'), 'resourceVersion')) return { status: 409, body: null };
    }
    this.putParameters(name, memberOf(body, 'data') as Readonly<Record<string, string>>);
    return { status: 200, body: this.parameters.get(name) };
  }

  /** Somebody writes an object of parameters. */
  putParameters(name: string, data: Readonly<Record<string, string>>): void {
    this.parameters.set(name, { metadata: { name, resourceVersion: String(this.requests.length) }, data });
  }
}
