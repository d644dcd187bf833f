import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from './run-command.ts';
import { HELMS, refusal, renderChart, valuesFile } from './helm-command.ts';

const KEYS = mkdtempSync(join(tmpdir(), 'lazaret-keys-'));
const RECIPIENTS = ['--set-file', `audit.recipients=${KEYS}/recipients.public.jwks`];

beforeAll(async () => {
  await runCommand([
    'sh',
    join(import.meta.dirname, '../../cli/launch.sh'),
    'cli/main.ts',
    'keys',
    'init',
    '--out',
    KEYS,
  ]);
});

describe.each(HELMS)('%s refuses', (helm) => {
  it.each([
    ['no keys', '{}', /audit\.recipients is missing: make keys with `lazaret keys init/],
    [
      'keys that are no JWK Set',
      'audit: {recipients: abc}',
      /audit\.recipients is no JWK Set: pass the file recipients\.public\.jwks/,
    ],
    ['an empty JWK Set', `audit: {recipients: '{"keys":[]}'}`, /audit\.recipients holds no key/],
    [
      'both kinds of keys',
      `{evaluation: true, audit: {recipients: '{"keys":[]}'}}`,
      /exclude each other: leave evaluation out/,
    ],
    [
      'lists in something that is no Secret',
      '{evaluation: true, lists: {secrets: [Lists/a]}}',
      /lists.secrets.0.*pattern/s,
    ],
    ['a key that does not exist', '{evaluation: true, webhooks: {}}', /'webhooks'/],
    ['a key that does not exist in a group', '{evaluation: true, controller: {replica: 1}}', /'replica'/],
    ['a value of the wrong type', '{evaluation: "yes"}', /evaluation.*want boolean/s],
    [
      'a mode of certificates that does not exist',
      '{evaluation: true, certs: {mode: vault}}',
      /'selfManaged', 'certManager', 'existingSecret'/,
    ],
    [
      'an existing Secret under another mode',
      '{evaluation: true, certs: {existingSecret: {controller: x}}}',
      /certs\.existingSecret\.\* and certs\.mode: selfManaged exclude each other/,
    ],
    [
      'an issuer under another mode',
      '{evaluation: true, certs: {certManager: {issuerRef: {name: x}}}}',
      /issuerRef\.name and certs\.mode: selfManaged exclude each other/,
    ],
    [
      'half of an existing Secret',
      '{evaluation: true, certs: {mode: existingSecret, existingSecret: {controller: x}}}',
      /needs certs\.existingSecret\.controller, \.collector and \.caBundle/,
    ],
    [
      'a bundle that is no certificate',
      '{evaluation: true, certs: {mode: existingSecret, existingSecret: {controller: a, collector: b, caBundle: c}}}',
      /caBundle is no PEM certificate/,
    ],
    [
      'cert-manager where there is none',
      '{evaluation: true, certs: {mode: certManager}}',
      /needs cert-manager, whose API cert-manager\.io\/v1 this cluster does not have/,
    ],
    [
      'monitors without their operator',
      '{evaluation: true, monitors: {enabled: true}}',
      /needs the Prometheus operator/,
    ],
    [
      'an open webhook without the policies',
      '{evaluation: true, webhook: {failurePolicy: Ignore}, policies: {enabled: false}}',
      /would let unguarded pods in whenever the webhook is down/,
    ],
    [
      'two servers on one port',
      '{evaluation: true, controller: {ports: {bundle: 8443}}}',
      /must be three different ports/,
    ],
    ['an entity that does not exist', '{evaluation: true, policy: {entities: {dna: block}}}', /'dna'/],
    ['keeping an entity', '{evaluation: true, policy: {entities: {ssn: keep}}}', /'redact', 'block'/],
    [
      'a destination with a scheme',
      '{evaluation: true, egress: {destinations: ["https://example.org"]}}',
      /egress\/destinations\/0/,
    ],
    [
      'a private key for users’ tokens',
      '{evaluation: true, policy: {userJwt: {issuer: a, audience: b, keys: [{kty: EC, d: x}]}}}',
      /userJwt\/keys\/0/,
    ],
    [
      'labels that are the chart’s own',
      '{evaluation: true, commonLabels: {app.kubernetes.io/name: x}}',
      /app\.kubernetes\.io\/name/,
    ],
    [
      'a tag in the name of an image',
      '{evaluation: true, sidecar: {image: {repository: "a.example:5000/b:1"}}}',
      /sidecar\/image\/repository/,
    ],
    ['a digest that is none', '{evaluation: true, sidecar: {image: {digest: "sha256:abc"}}}', /sidecar\/image\/digest/],
  ])('%s', async (_, values, message) => {
    expect(await refusal(helm, valuesFile(values))).toMatch(message);
  });

  it('a private audit key, and does not print it', async () => {
    const file = `${KEYS}/auditor.private.jwk`;
    const { d } = JSON.parse(readFileSync(file, 'utf8')) as { readonly d: string };
    const alone = await refusal(helm, ['--set-file', `audit.recipients=${file}`]);
    expect(alone).toMatch(/PRIVATE key, which must never reach the cluster/);
    const inSet = await refusal(
      helm,
      valuesFile(JSON.stringify({ audit: { recipients: `{"keys":[{"kty":"EC","d":"${d}"}]}` } })),
    );
    expect(inSet).toMatch(/PRIVATE key, which must never reach the cluster/);
    expect(alone + inSet).not.toContain(d);
  });
});

it.each(HELMS)('%s takes a registry with a port', async (helm) => {
  const values = '{evaluation: true, controller: {image: {repository: "192.0.2.1:5000/team/controller", tag: "1"}}}';
  const objects = await renderChart(helm, valuesFile(values));
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  expect(JSON.stringify(deployment)).toContain('"image":"192.0.2.1:5000/team/controller:1"');
});

it.each(HELMS)('%s takes the keys that `lazaret keys init` makes', async (helm) => {
  const objects = await renderChart(helm, RECIPIENTS);
  const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'lazaret-controller');
  expect(Object(map?.data)['values.yaml']).toMatch(/recipients: ".*auditor-.*escrow-/);
});
