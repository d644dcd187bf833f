import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Product } from './install.ts';
import {
  appSpec,
  callFrom,
  callProvider,
  CALL,
  CLINICAL,
  clinicalBody,
  createApp,
  IDENTIFIERS,
  logsOf,
  nodeContainer,
  PHI,
  runInApp,
  startApp,
} from './product-apps.ts';
import { applyYaml, deleteNamespace, kubectl, makeNamespace, waitForCondition } from './test-cluster.ts';

/** Names that the provider's stand-in serves beside the providers': one is a destination in policy, one stands nowhere. */
export const LISTED_HOST = 'packages.example.org';
export const UNLISTED_HOST = 'elsewhere.example.org';

/** Opts in, and lets `lazaret-init` have what it needs. */
export const GUARDED = {
  'lazaret.dev/guard': 'labelled',
  'pod-security.kubernetes.io/enforce': 'privileged',
} as const;

/** A program that calls the provider once, prints the answer, and ends by it. */
const CALL_ONCE = `${CALL}
const { status, text } = await call(MESSAGES, ${JSON.stringify(clinicalBody())});
console.log(status, text);
if (status !== 200) process.exit(1);
`;

/** A database that speaks first, as PostgreSQL's and MySQL's peers do, and an HTTP server. */
const BACKEND = `
import { createServer } from 'node:net';
import { createServer as createHttp } from 'node:http';
createServer((socket) => {
  socket.on('error', () => {});
  socket.write('hello from the database\\n');
  socket.on('data', (bytes) => socket.write(bytes));
}).listen(5432);
createHttp(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  response.end(request.method + ' ' + request.url + ' ' + body);
}).listen(8080);
`;

/** What ordinary applications do in a guarded namespace. */
export function testTraffic(product: () => Product): void {
  describe('an application in a guarded pod that knows nothing of a guard', () => {
    let clinic = '';
    let inside = '';

    beforeAll(async () => {
      [clinic, inside] = await Promise.all([makeNamespace(GUARDED), makeNamespace()]);
      await Promise.all([startBackend(inside), letReadPods(clinic), startApp(clinic, 'client')]);
    });
    afterAll(() => Promise.all([clinic, inside].map((name) => deleteNamespace(name))));

    it('gets an answer with its patient in it from a provider that never heard of her', async () => {
      const before = product().provider.received.length;
      const { status, text } = await callProvider(clinic, 'client');
      expect({ status, text }).toEqual({ status: 200, text: expect.stringContaining(CLINICAL) });
      const received = product().provider.received.slice(before);
      expect(received).toHaveLength(1);
      for (const identifier of IDENTIFIERS) expect(received[0]?.body.toString('utf8')).not.toContain(identifier);
    });

    it('gets a stream with its patient in it', async () => {
      const { status, text } = await callProvider(clinic, 'client', { stream: true });
      const deltas = [...text.matchAll(/"text_delta","text":("(?:[^"\\]|\\.)*")/g)].map(([, part = '']) =>
        String(JSON.parse(part)),
      );
      expect(status).toBe(200);
      expect(deltas.length).toBeGreaterThan(1);
      expect(deltas.join('')).toContain(CLINICAL);
    });

    it('is refused by a provider under no agreement, with the reason', async () => {
      const before = product().provider.received.length;
      const body = { model: 'gpt-5', messages: [{ role: 'user', content: CLINICAL }] };
      const { status, text } = await callFrom(clinic, 'client', 'https://api.openai.com/v1/chat/completions', body);
      expect({ status, text }).toEqual({ status: 403, text: expect.stringContaining('agreement_missing') });
      expect(product().provider.received.length).toBe(before);
    });

    it('reaches a listed host under its own certificate, unread', async () => {
      const issuer = await runInApp<string>(clinic, 'client', issuerScript(LISTED_HOST));
      expect(issuer).toBe('Lazaret test root');
    });

    it('does not reach a host that stands nowhere', async () => {
      expect(await callFrom(clinic, 'client', `https://${UNLISTED_HOST}/`)).toMatchObject({ status: 0 });
    });

    it('talks to a database that speaks first', async () => {
      const script = `
        import { connect } from 'node:net';
        const socket = connect(5432, 'backend.${inside}.svc');
        let said = '';
        for await (const part of socket) {
          said += part;
          // A packet of MySQL's: length, number, content.
          if (said === 'hello from the database\\n') socket.write('\\x0e\\0\\0\\x01Maria Gonzalez');
          if (said.endsWith('Gonzalez')) break;
        }
        console.log(JSON.stringify(said));
      `;
      expect(await runInApp<string>(clinic, 'client', script)).toBe(
        'hello from the database\n\x0e\0\0\x01Maria Gonzalez',
      );
    });

    it('calls an HTTP service of the cluster', async () => {
      const url = `http://backend.${inside}.svc:8080/patients/7`;
      expect(await callFrom(clinic, 'client', url)).toMatchObject({ status: 200, text: 'GET /patients/7 ' });
      const posted = await callFrom(clinic, 'client', url, { name: 'Maria Gonzalez' });
      expect(posted).toMatchObject({ status: 200, text: 'POST /patients/7 {"name":"Maria Gonzalez"}' });
    });

    it('calls the Kubernetes API with its service account', async () => {
      const names = await runInApp<readonly string[]>(clinic, 'client', apiScript(clinic));
      expect(names).toContain('client');
    });

    it('may call the provider from an init container', async () => {
      const spec = { initContainers: [nodeContainer('setup', CALL_ONCE)] };
      await startApp(clinic, 'with-setup', { spec });
      expect(await logsOf(clinic, 'pod/with-setup', 'setup')).toMatch(/^200 .*Maria Gonzalez/);
    });

    it('completes as a Job, and its pod with the guard in it ends', async () => {
      const template = {
        metadata: { labels: PHI },
        spec: { ...appSpec({ script: CALL_ONCE }), restartPolicy: 'Never' },
      };
      await applyYaml(
        stringify({
          apiVersion: 'batch/v1',
          kind: 'Job',
          metadata: { namespace: clinic, name: 'once' },
          spec: { backoffLimit: 0, template },
        }),
      );
      await waitForCondition(clinic, 'job/once', 'condition=Complete');
      const pod = await kubectl(['get', 'pods', `--namespace=${clinic}`, '--selector=job-name=once', '--output=name']);
      await waitForCondition(clinic, pod.trim(), 'jsonpath={.status.phase}=Succeeded');
      expect(await logsOf(clinic, 'job/once')).toMatch(/^200 .*Maria Gonzalez/);
    });

    it('rolls out as a Deployment, and again', async () => {
      const script = `${CALL_ONCE}\nsetInterval(() => {}, 1e6);`;
      const labels = { ...PHI, app: 'web' };
      await applyYaml(
        stringify({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { namespace: clinic, name: 'web' },
          spec: {
            selector: { matchLabels: { app: 'web' } },
            template: { metadata: { labels }, spec: appSpec({ script }) },
          },
        }),
      );
      const inClinic = `--namespace=${clinic}`;
      const rolled = () => kubectl(['rollout', 'status', 'deployment/web', inClinic, '--timeout=60s']);
      await rolled();
      await kubectl(['rollout', 'restart', 'deployment/web', inClinic]);
      await rolled();
      const pods = await kubectl(['get', 'pods', inClinic, '--selector=app=web', '--output=jsonpath={..image}']);
      expect(pods).toContain('/sidecar');
    });

    it('without the label is left alone, in the same namespace', async () => {
      await createApp(clinic, 'other', { labels: {} });
      const names = await kubectl(['get', 'pod/other', `--namespace=${clinic}`, '--output=jsonpath={..name}']);
      expect(names).not.toContain('lazaret-');
    });
  });
}

async function startBackend(namespace: string): Promise<void> {
  await applyYaml(
    stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace, name: 'backend' },
      spec: {
        selector: { app: 'backend' },
        ports: [
          { name: 'db', port: 5432 },
          { name: 'http', port: 8080 },
        ],
      },
    }),
  );
  await startApp(namespace, 'backend', { labels: { app: 'backend' }, script: BACKEND });
}

async function letReadPods(namespace: string): Promise<void> {
  const account = `--serviceaccount=${namespace}:default`;
  await kubectl(['create', 'rolebinding', 'reader', '--clusterrole=view', account, `--namespace=${namespace}`]);
}

/** Who signed a host's certificate, as the pod sees it. */
function issuerScript(host: string): string {
  return `
    import { connect } from 'node:tls';
    const socket = connect({ host: '${host}', port: 443, servername: '${host}', rejectUnauthorized: false }, () => {
      console.log(JSON.stringify(socket.getPeerCertificate().issuer.CN));
      socket.destroy();
    });
    socket.on('error', (error) => console.log(JSON.stringify(error.message)));
  `;
}

/** The names of a namespace's pods, by the API and the pod's own token. */
function apiScript(namespace: string): string {
  return `
    import { readFileSync } from 'node:fs';
    import { get } from 'node:https';
    const dir = '/var/run/secrets/kubernetes.io/serviceaccount/';
    const headers = { authorization: 'Bearer ' + readFileSync(dir + 'token', 'utf8') };
    const options = { host: 'kubernetes.default.svc', path: '/api/v1/namespaces/${namespace}/pods', headers, ca: readFileSync(dir + 'ca.crt') };
    get(options, async (answer) => {
      let text = '';
      for await (const part of answer) text += part;
      console.log(JSON.stringify(JSON.parse(text).items.map(({ metadata }) => metadata.name)));
    });
  `;
}
