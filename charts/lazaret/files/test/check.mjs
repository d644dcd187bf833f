// Run by `helm test` in the release's namespace. Every pod is created as a dry run: nothing is started.
import { readFileSync } from 'node:fs';

const NAMESPACE = process.env.TEST_NAMESPACE ?? '';
const PATIENCE_MS = 120_000;
const host = process.env.KUBERNETES_SERVICE_HOST ?? '';
const server = `https://${host.includes(':') ? `[${host}]` : host}:${process.env.KUBERNETES_SERVICE_PORT ?? '443'}`;

function makePod(name, spec) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { 'lazaret.dev/phi': 'true' } },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'app', image: 'example.invalid/app' }], ...spec },
  };
}

async function create(pod) {
  const token = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8').trim();
  const answer = await fetch(`${server}/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(pod),
    signal: AbortSignal.timeout(20_000),
  });
  return { status: answer.status, body: await answer.json() };
}

/** A fresh namespace has no service account for a moment, its rights take effect a moment later, and so does a first certificate. */
async function createWhenReady(pod) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await create(pod);
    const message = String(answer.body.message ?? '');
    const early = /service account|cannot create resource|failed calling webhook|certificate/i.test(message);
    if (answer.status === 201 || !early || Date.now() > end) return answer;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

const checks = [
  {
    name: 'a pod with patients’ data is guarded',
    check: async () => {
      const { status, body } = await createWhenReady(makePod('guarded', {}));
      const first = body.spec?.initContainers?.slice(0, 2).map((container) => container.name) ?? [];
      if (status === 201 && first.join() === 'lazaret-init,lazaret-sidecar') return null;
      return `answer ${status}: ${body.message ?? `its first init containers are ${first.join(', ') || 'none'}`}`;
    },
  },
  {
    name: 'a pod in the network of its node is denied (B-06)',
    check: async () => {
      const { status, body } = await createWhenReady(makePod('bypass', { hostNetwork: true }));
      if (status === 403 && /B-06/.test(body.message ?? '')) return null;
      return `answer ${status}: ${body.message ?? 'it was allowed'}`;
    },
  },
];

let failed = 0;
for (const { name, check } of checks) {
  const problem = await check().catch((error) => `the API server does not answer: ${error.cause?.code ?? error.name}`);
  process.stdout.write(problem === null ? `ok: ${name}\n` : `FAILED: ${name}: ${problem}\n`);
  if (problem !== null) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
