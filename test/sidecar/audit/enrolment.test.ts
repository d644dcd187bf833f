import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ChainId } from '#contract/brand.ts';
import { CollectorClient } from '#sidecar/audit/collector-client.ts';
import { SigningKey } from '#sidecar/audit/signing-key.ts';
import { makeTestAuthority } from '../../fake/test-authority.ts';
import { folder } from './rig.ts';

test('each enrolment carries the token that the file holds then, and finds the collector by the given lookup', async () => {
  const dir = folder();
  const authority = await makeTestAuthority();
  const { certificate, key } = await authority.issue('collector.lazaret.svc');
  const tokens: (string | undefined)[] = [];
  const server = createServer({ cert: certificate, key }, (request, response) => {
    tokens.push(request.headers.authorization);
    request.resume().once('end', () => response.writeHead(401).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const tokenFile = join(dir, 'token');
  const asked: string[] = [];
  const signing = SigningKey.create();
  const client = new CollectorClient(
    {
      url: `https://collector.lazaret.svc:${port}`,
      ca: authority.root,
      tokenFile,
      lookup: (name, options, callback) => {
        asked.push(name);
        if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
        else callback(null, '127.0.0.1', 4);
      },
    },
    { chain: 'chain-0001' as ChainId, workload: 'phi/default/app-0', signing },
  );
  onTestFinished(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  for (const token of ['first', 'rotated']) {
    writeFileSync(tokenFile, `${token}\n`);
    expect(await client.enrol()).toBe(false);
  }
  expect(tokens).toEqual(['Bearer first', 'Bearer rotated']);
  expect(new Set(asked)).toEqual(new Set(['collector.lazaret.svc']));
});
