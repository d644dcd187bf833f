import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { folder, makeCertificate } from '#test/sidecar/audit/rig.ts';

/** What a TokenReview was asked with. */
interface Asked {
  readonly path: string | undefined;
  readonly bearer: string | undefined;
  readonly body: { readonly kind: string; readonly spec: { readonly token: string; readonly audiences: string[] } };
}

/** A loopback stand-in for an API server that reviews tokens as a real one writes its answers; it can fail, hang and lie. */
export async function startApiServer() {
  const dir = folder();
  const { cert, key } = await makeCertificate(dir);
  writeFileSync(join(dir, 'ca.crt'), readFileSync(cert));
  writeFileSync(join(dir, 'token'), 'token-of-the-collector');
  const tokens = new Map<string, object>();
  const asked: Asked[] = [];
  const state = { answer: 'well' as 'well' | 'fault' | 'hang' | 'nonsense' };
  const review = (body: Asked['body']): object => ({
    ...body,
    status: tokens.get(body.spec.token) ?? { user: {}, error: 'invalid bearer token' },
  });
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Asked['body'];
    asked.push({ path: request.url, bearer: request.headers.authorization, body });
    if (state.answer === 'fault') response.writeHead(403).end('{"kind":"Status","code":403}');
    if (state.answer === 'nonsense') response.writeHead(201).end('<html>');
    if (state.answer === 'well') response.writeHead(201).end(JSON.stringify(review(body)));
  };
  const server = createServer(
    { cert: readFileSync(cert), key: readFileSync(key) },
    (request, response) => void serve(request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const account = (namespace: string, name: string, extra: object = {}): string => {
    const token = randomBytes(24).toString('base64url');
    const username = `system:serviceaccount:${namespace}:${name}`;
    tokens.set(token, { authenticated: true, audiences: ['lazaret.dev'], user: { username, extra } });
    return token;
  };
  return {
    asked,
    state,
    account,
    /** @returns a token of a pod */
    pod: (namespace: string, serviceAccount: string, name: string, uid = `uid-of-${name}`) =>
      account(namespace, serviceAccount, {
        'authentication.kubernetes.io/pod-name': [name],
        'authentication.kubernetes.io/pod-uid': [uid],
      }),
    settings: {
      LAZARET_POD_PROOF: 'kubernetes',
      LAZARET_API_SERVER: `https://127.0.0.1:${port}`,
      LAZARET_SERVICE_ACCOUNT_DIR: dir,
      LAZARET_CONTROLLER: 'system:serviceaccount:lazaret:lazaret-controller',
    } as const,
  };
}
