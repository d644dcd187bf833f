import { createServer } from 'node:https';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectApi } from '#controller/cluster/api.ts';
import { kubeconfigCredentials, podCredentials } from '#controller/cluster/credentials.ts';
import { makeTestAuthority } from '#test/fake/test-authority.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lazaret-credentials-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const ENVIRONMENT = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

describe('the credentials of a pod', () => {
  it('follow the token that the kubelet renews, within a minute', () => {
    writeFileSync(join(dir, 'ca.crt'), 'root');
    writeFileSync(join(dir, 'token'), 'one\n');
    let now = 0;
    const { current, server } = podCredentials(ENVIRONMENT, () => now, dir);
    expect(server.href).toBe('https://[fd00::1]/');
    expect(current()).toMatchObject({ authorization: 'Bearer one', ca: Buffer.from('root') });
    writeFileSync(join(dir, 'token'), 'two\n');
    now = 59_999;
    expect(current().authorization).toBe('Bearer one');
    now = 60_000;
    expect(current().authorization).toBe('Bearer two');
  });

  it('say what to do where there is no pod', () => {
    expect(() => podCredentials({}, Date.now)).toThrow(/KUBECONFIG/);
  });
});

describe('the credentials of a kubeconfig', () => {
  const write = (user: object, cluster: object = {}): string => {
    const path = join(dir, 'config');
    const clusters = [{ name: 'k', cluster: { server: 'https://127.0.0.1:6443', ...cluster } }];
    writeFileSync(
      path,
      JSON.stringify({
        'current-context': 'c',
        contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
        clusters,
        users: [{ name: 'u', user }],
      }),
    );
    return path;
  };

  it('verify the API server by the root that is given, and nobody else', async () => {
    const authority = await makeTestAuthority();
    const { certificate, key } = await authority.issue('127.0.0.1');
    const server = createServer({ cert: certificate, key }, (request, response) =>
      response.end(JSON.stringify({ said: request.headers.authorization })),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const call = async (root: string) => {
      const api = connectApi(
        kubeconfigCredentials(
          write(
            { token: 't' },
            { server: address, 'certificate-authority-data': Buffer.from(root).toString('base64') },
          ),
          Date.now,
        ),
      );
      try {
        return await api.call({ method: 'GET', path: '/x' });
      } finally {
        api.close();
      }
    };
    expect(await call(authority.root)).toEqual({ said: 'Bearer t' });
    await expect(call((await makeTestAuthority()).root)).rejects.toMatchObject({ name: 'ApiError', status: 0 });
    server.close();
  });

  it('read files beside the kubeconfig', () => {
    writeFileSync(join(dir, 'token'), 'from a file\n');
    expect(kubeconfigCredentials(write({ tokenFile: 'token' }), Date.now).current().authorization).toBe(
      'Bearer from a file',
    );
  });

  it('name the file and the field that cannot be used', () => {
    expect(() => kubeconfigCredentials(write({}, { server: 'ftp://x' }), Date.now)).toThrow(/config.*server/);
  });
});
