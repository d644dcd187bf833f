import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeApi, startFakeApi } from './api-server.ts';

const PATH = '/api/v1/namespaces/a/secrets';
let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi('secret');
});
afterEach(() => api.close());

function ask(path: string, method = 'GET', body?: unknown, type = 'application/json'): Promise<Response> {
  const headers = { authorization: 'Bearer secret', 'content-type': type };
  return fetch(new URL(path, api.url), {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

describe('the stand-in of the API server', () => {
  it('lists in pages, all of them at the same version', async () => {
    for (const name of ['x', 'y', 'z']) api.put(`${PATH}/${name}`, { metadata: {} });
    const first = (await (await ask(`${PATH}?limit=2`)).json()) as {
      metadata: Record<string, string>;
      items: unknown[];
    };
    expect(first.items).toHaveLength(2);
    const rest = (await (await ask(`${PATH}?limit=2&continue=${first.metadata.continue}`)).json()) as typeof first;
    expect(rest.items).toHaveLength(1);
    expect(rest.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion });
  });

  it('refuses a second creation, a write upon an old version and a stranger', async () => {
    expect((await ask(PATH, 'POST', { metadata: { name: 'x' } })).status).toBe(201);
    expect((await ask(PATH, 'POST', { metadata: { name: 'x' } })).status).toBe(409);
    expect((await ask(`${PATH}/x`, 'PUT', { metadata: { resourceVersion: '1' } })).status).toBe(409);
    expect((await fetch(new URL(`${PATH}/x`, api.url))).status).toBe(401);
  });

  it('applies a JSON patch only when its tests hold', async () => {
    api.put(`${PATH}/x`, { metadata: {}, list: [{ name: 'a' }] });
    const patch = (name: string) => [
      { op: 'test', path: '/list/0/name', value: name },
      { op: 'add', path: '/list/0/value', value: 1 },
    ];
    const type = 'application/json-patch+json';
    expect((await ask(`${PATH}/x`, 'PATCH', patch('b'), type)).status).toBe(422);
    expect((await ask(`${PATH}/x`, 'PATCH', patch('a'), type)).status).toBe(200);
    expect(api.get(`${PATH}/x`)).toMatchObject({ list: [{ name: 'a', value: 1 }] });
  });

  it('tells a watch of what happened since a version, deletions with a version of their own, and 410 for a forgotten one', async () => {
    const from = api.version();
    api.put(`${PATH}/x`, { metadata: {} });
    const response = await ask(`${PATH}?watch=true&resourceVersion=${from}`);
    api.remove(`${PATH}/x`);
    const reader = response.body!.getReader();
    let text = '';
    while (text.split('\n').length < 3) text += new TextDecoder().decode((await reader.read()).value);
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; object: { metadata: { resourceVersion: string } } });
    expect(events.map(({ type, object }) => [type, object.metadata.resourceVersion])).toEqual([
      ['ADDED', String(from + 1)],
      ['DELETED', String(from + 2)],
    ]);
    await reader.cancel();
    api.compact();
    expect(await (await ask(`${PATH}?watch=true&resourceVersion=${from}`)).text()).toContain('410');
  });
});
