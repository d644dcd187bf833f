import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Resolve } from '#sidecar/upstream/resolve.ts';
import { createServiceLookup, readClusterDomain } from '#sidecar/upstream/service-lookup.ts';

const ADDRESSES = ['10.96.0.7', 'fd00::7'];

function lookUp(name: string, all: boolean, resolve: Resolve = () => Promise.resolve(ADDRESSES)): Promise<unknown> {
  const lookup = createServiceLookup(resolve, 'corp.example');
  return new Promise((give, refuse) => {
    lookup(name, { all }, (error, address, family) => {
      if (error === null) give(all ? address : [address, family]);
      else refuse(error);
    });
  });
}

it('a short name of a service is completed by the domain of the cluster, any other is asked for as it is', async () => {
  const asked: string[] = [];
  const resolve: Resolve = (host) => {
    asked.push(host);
    return Promise.resolve(ADDRESSES);
  };
  for (const name of ['lazaret-controller.lazaret.svc', 'bundles.corp.example']) await lookUp(name, true, resolve);
  expect(asked).toEqual(['lazaret-controller.lazaret.svc.corp.example', 'bundles.corp.example']);
});

it('all addresses are given with their families, or the first alone', async () => {
  expect(await lookUp('a.b.svc', true)).toEqual([
    { address: '10.96.0.7', family: 4 },
    { address: 'fd00::7', family: 6 },
  ]);
  expect(await lookUp('a.b.svc', false)).toEqual(['10.96.0.7', 4]);
});

it.each([
  ['that the resolvers do not know', 'a.b.svc', () => Promise.reject(new Error('NXDOMAIN'))],
  ['that is none', 'a..b', () => Promise.resolve(ADDRESSES)],
  ['without addresses', 'a.b.svc', () => Promise.resolve([])],
] as const)('a name %s is an error', async (_case, name, resolve) => {
  await expect(lookUp(name, false, resolve)).rejects.toThrow(/NXDOMAIN|no address/);
});

it.each([
  ["a pod's own", 'search phi.svc.k8s.corp svc.k8s.corp k8s.corp corp.example\nnameserver 10.96.0.10\n', 'k8s.corp'],
  ['the last of two', 'search svc.one\nsearch phi.svc.two svc.two two\n', 'two'],
  ["a node's", 'search corp.example\nnameserver 192.0.2.1\n', 'cluster.local'],
  ['none', '', 'cluster.local'],
  ['one with bad characters', 'search svc.a$b\n', 'cluster.local'],
])('the domain of the cluster comes from the search list: %s', async (_case, text, domain) => {
  const dir = mkdtempSync(join(tmpdir(), 'resolv-'));
  writeFileSync(join(dir, 'resolv.conf'), text);
  expect(await readClusterDomain(join(dir, 'resolv.conf'))).toBe(domain);
  rmSync(dir, { recursive: true });
  expect(await readClusterDomain(join(dir, 'resolv.conf'))).toBe('cluster.local');
});
