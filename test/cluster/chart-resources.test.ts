import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { CHART } from '#test/chart/chart-files.ts';
import { ciValues, renderText } from './helm-command.ts';
import { KubeClient } from './kube-client.ts';
import { kubectl as run, PLACE, tryKubectl } from './test-cluster.ts';

type Fields = Readonly<Record<string, unknown>>;

const kubectl = (...args: readonly string[]) => run(args);
const client = new KubeClient(PLACE.kubeconfig);
const NAMES = ['provideragreements', 'egresspolicies', 'guardexemptions'].map((name) => `${name}.lazaret.dev`);

const RESOURCES: Readonly<Record<string, string>> = {
  ProviderAgreement: 'provideragreements',
  EgressPolicy: 'namespaces/default/egresspolicies',
  GuardExemption: 'guardexemptions',
};

const AGREEMENT = {
  provider: 'Anthropic',
  product: 'Claude API',
  match: { hosts: ['api.anthropic.com'], paths: ['POST /v1/messages'] },
  contract: { status: 'signed', ref: 'BAA-2026-014', signedOn: '2026-01-15', expiresOn: null },
};
const EXEMPTION = {
  reason: 'a trial',
  approvedBy: 'security officer',
  from: '2026-11-01',
  until: '2026-11-14',
  namespaces: ['emergency'],
  grant: { monitor: true },
};

beforeAll(async () => {
  await kubectl('apply', '--server-side', '--force-conflicts', '-f', join(CHART, 'files/crds'));
  await kubectl('wait', '--for=condition=Established', '--timeout=60s', 'crd', ...NAMES);
});

// A release would not take up resources that another hand made.
afterAll(async () => {
  await kubectl('delete', 'crd', ...NAMES, '--timeout=60s');
  client.close();
});

describe('the API server accepts', () => {
  it.each<[string, string, Fields]>([
    ['an agreement', 'ProviderAgreement', AGREEMENT],
    ['an agreement with nothing that may be left out', 'ProviderAgreement', { ...AGREEMENT, contract: null }],
    [
      'a plan’s credential with its organization',
      'ProviderAgreement',
      withMatch({ credential: { kinds: ['oauth'] }, organization: { header: 'x-org', ids: ['1'] } }),
    ],
    [
      'a plan’s credential of a model of one’s own',
      'ProviderAgreement',
      { ...withMatch({ credential: { kinds: ['oauth'] } }), kind: 'self-hosted' },
    ],
    [
      'kinds of credentials that are null',
      'ProviderAgreement',
      withMatch({ credential: { kinds: null }, organization: null }),
    ],
    ['an empty EgressPolicy', 'EgressPolicy', {}],
    [
      'an EgressPolicy of every field',
      'EgressPolicy',
      {
        podSelector: { matchLabels: { app: 'triage' } },
        agreements: ['anthropic-api'],
        destinations: ['*.example.org'],
        paths: ['POST /v1/messages', 'GET /v1/*'],
        allowModels: ['claude-*'],
        denyModels: [],
        denyFeatures: ['tool:*'],
        dates: 'whole',
        entities: { ssn: 'block' },
        maxIdentifiers: 50,
        media: 'deny',
        requireUser: ['header'],
        organization: 'required',
      },
    ],
    ['a grant of 30 days', 'GuardExemption', { ...EXEMPTION, from: '2026-11-01', until: '2026-11-30' }],
    ['a grant of one day', 'GuardExemption', { ...EXEMPTION, from: '2026-11-01', until: '2026-11-01' }],
    [
      'a grant of a year by the clock',
      'GuardExemption',
      {
        ...EXEMPTION,
        from: '2026-11-01t00:00:00z',
        until: '2027-11-01T00:00:00+02:00',
        grant: { hardening: ['B-28'] },
      },
    ],
  ])('%s', async (_, kind, spec) => {
    expect(await apply(kind, spec)).toEqual({ status: 201, message: '' });
  });
});

describe('the API server refuses', () => {
  const host = /must be a host name in lower case \(api\.example\.org\) or "\*\." and a name of at least two labels/;
  const operation = /must be a method and a path, as in "POST \/v1\/messages"/;
  const time = /must be a date \(2026-11-30\) or an RFC 3339 time/;
  it.each<[string, string, Fields, RegExp, RegExp]>([
    [
      'a URL for a host',
      'ProviderAgreement',
      withMatch({ hosts: ['https://api.anthropic.com'] }),
      /spec\.match\.hosts\[0\]/,
      host,
    ],
    ['a whole top-level domain', 'ProviderAgreement', withMatch({ hosts: ['*.com'] }), /spec\.match\.hosts\[0\]/, host],
    [
      'an address for a host',
      'ProviderAgreement',
      withMatch({ hosts: ['198.51.100.7'] }),
      /spec\.match\.hosts\[0\]/,
      host,
    ],
    ['no host', 'ProviderAgreement', withMatch({ hosts: [] }), /spec\.match\.hosts/, /should have at least 1 items/],
    [
      'a path without a method',
      'ProviderAgreement',
      withMatch({ paths: ['/v1/messages'] }),
      /spec\.match\.paths\[0\]/,
      operation,
    ],
    [
      'a path that climbs',
      'ProviderAgreement',
      withMatch({ paths: ['POST /v1/../x'] }),
      /spec\.match\.paths\[0\]/,
      operation,
    ],
    [
      'a feature with a space',
      'ProviderAgreement',
      withMatch({ denyFeatures: ['a b'] }),
      /denyFeatures\[0\]/,
      /must be printable ASCII without spaces/,
    ],
    [
      'a region in capitals',
      'ProviderAgreement',
      withMatch({ regions: ['US'] }),
      /regions\[0\]/,
      /must be a region id such as us-east-1/,
    ],
    [
      'a prefix with a space',
      'ProviderAgreement',
      withMatch({ credential: { denyPrefixes: ['sk '] } }),
      /denyPrefixes\[0\]/,
      /must be the first characters of a key/,
    ],
    [
      'half a fingerprint',
      'ProviderAgreement',
      withMatch({ credential: { keyFingerprints: ['abc'] } }),
      /keyFingerprints\[0\]/,
      /must be the SHA-256 of the key/,
    ],
    [
      'a header in capitals',
      'ProviderAgreement',
      withMatch({ organization: { header: 'X-Org' } }),
      /organization\.header/,
      /must be a response header in lower case/,
    ],
    [
      'a plan’s credential without its organization',
      'ProviderAgreement',
      withMatch({ credential: { kinds: ['session'] } }),
      /spec\.match:/,
      /must name the covered organizations in match\.organization\.ids/,
    ],
    [
      'a consumer product',
      'ProviderAgreement',
      { ...AGREEMENT, kind: 'consumer' },
      /spec\.kind/,
      /supported values: "api", "enterprise", "coding", "self-hosted"/,
    ],
    ['an empty name', 'ProviderAgreement', { ...AGREEMENT, provider: '  ' }, /spec\.provider/, /must not be empty/],
    [
      'a route to no name',
      'ProviderAgreement',
      { ...AGREEMENT, routesTo: ['A B'] },
      /routesTo\[0\]/,
      /must be a Kubernetes name/,
    ],
    [
      'a date of another form',
      'ProviderAgreement',
      { ...AGREEMENT, contract: { status: 'signed', signedOn: '15.01.2026' } },
      /contract\.signedOn/,
      time,
    ],
    [
      'a hash that is none',
      'ProviderAgreement',
      { ...AGREEMENT, contract: { status: 'signed', sha256: 'abc' } },
      /contract\.sha256/,
      /SHA-256 of the signed document/,
    ],
    [
      'a key to hand out',
      'ProviderAgreement',
      { ...AGREEMENT, credential: 'secret' },
      /spec\.credential/,
      /supported values: "pass"/,
    ],
    [
      'a misspelt field',
      'ProviderAgreement',
      { ...AGREEMENT, contracts: {} },
      /strict decoding error/,
      /unknown field "spec\.contracts"/,
    ],
    [
      'keeping an entity by a namespace',
      'EgressPolicy',
      { entities: { ssn: 'keep' } },
      /spec\.entities\.ssn/,
      /supported values: "redact", "block"/,
    ],
    [
      'an unknown entity',
      'EgressPolicy',
      { entities: { dna: 'block' } },
      /strict decoding error/,
      /unknown field "spec\.entities\.dna"/,
    ],
    ['a bound of nothing', 'EgressPolicy', { maxIdentifiers: 0 }, /spec\.maxIdentifiers/, /greater than or equal to 1/],
    [
      'two grants in one',
      'GuardExemption',
      { ...EXEMPTION, grant: { monitor: true, unredacted: true } },
      /spec\.grant/,
      /must hold exactly one of monitor, unredacted, keepEntities, destinations, hardening/,
    ],
    ['a grant of nothing', 'GuardExemption', { ...EXEMPTION, grant: {} }, /spec\.grant/, /must hold exactly one/],
    [
      'a grant that is false',
      'GuardExemption',
      { ...EXEMPTION, grant: { monitor: false } },
      /spec\.grant\.monitor/,
      /supported values: "?true/,
    ],
    [
      'a rule that is none',
      'GuardExemption',
      { ...EXEMPTION, grant: { hardening: ['28'] } },
      /hardening\[0\]/,
      /must be a rule id such as B-28/,
    ],
    [
      'an end before its beginning',
      'GuardExemption',
      { ...EXEMPTION, until: '2026-10-31' },
      /spec\.until/,
      /must be later than spec\.from/,
    ],
    [
      'a monitor grant of 31 days',
      'GuardExemption',
      { ...EXEMPTION, until: '2026-12-01' },
      /spec\.until/,
      /a monitor grant lasts at most 30 days/,
    ],
    [
      'a grant of more than a year',
      'GuardExemption',
      { ...EXEMPTION, grant: { unredacted: true }, until: '2027-11-03' },
      /spec\.until/,
      /an exemption lasts at most a year/,
    ],
    ['a day that no calendar has', 'GuardExemption', { ...EXEMPTION, until: '2026-11-31' }, /spec/, /./],
    ['no end', 'GuardExemption', { ...EXEMPTION, until: undefined }, /spec\.until/, /Required value/],
  ])('%s', async (...[, kind, spec, field, message]) => {
    const answer = await apply(kind, spec);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.message).toMatch(field);
    expect(answer.message).toMatch(message);
  });
});

it.each(['provideragreement.spec.match', 'egress.spec', 'exemption.spec.grant', 'agreement.spec.contract.expiresOn'])(
  'kubectl explain %s says what it means',
  async (path) => {
    const text = await kubectl('explain', path);
    expect(text).toMatch(/DESCRIPTION:\n {4}[A-Z]\w+/);
    expect(text).not.toContain('<empty>');
  },
);

it('kubectl get shows who, until when and whether it is accepted', async () => {
  await kubectl(
    'apply',
    '--server-side',
    '-f',
    await fileOf('ProviderAgreement', 'columns', {
      ...AGREEMENT,
      contract: { ...AGREEMENT.contract, expiresOn: '2027-01-14' },
    }),
  );
  try {
    const status = {
      conditions: [
        { type: 'Accepted', status: 'True', reason: 'Valid', message: 'x', lastTransitionTime: '2026-11-01T00:00:00Z' },
      ],
    };
    await kubectl(
      'patch',
      'agreement',
      'columns',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    );
    const [head = '', row = ''] = (await kubectl('get', 'agreements', 'columns')).split('\n');
    expect(head.split(/\s{2,}/)).toEqual([
      'NAME',
      'PROVIDER',
      'KIND',
      'EXPIRES',
      'ACCEPTED',
      'IN USE',
      'EXPIRED',
      'AGE',
    ]);
    expect(row.split(/\s{2,}/).slice(0, 5)).toEqual(['columns', 'Anthropic', 'api', '2027-01-14', 'True']);
  } finally {
    await kubectl('delete', 'agreement', 'columns');
  }
});

it.each(['default', 'existing-secret', 'openshift'])(
  'the API server takes every object of the values "%s"',
  async (name) => {
    const namespace = `chart-${name}-${process.pid}`;
    await kubectl('create', 'namespace', namespace);
    try {
      const text = await renderText('helm', [...ciValues(name), '--namespace', namespace]);
      // What `helm test` makes needs a namespace that it makes itself; here nothing is stored.
      const lasting = text.split(/^---$/m).filter((part) => !/helm\.sh\/hook/.test(part));
      expect(lasting.length).toBeGreaterThan(20);
      const apply = ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict', '-f', '-'];
      const { stderr } = await tryKubectl(apply, { input: lasting.join('---') });
      expect(stderr).toBe('');
    } finally {
      await kubectl('delete', 'namespace', namespace, '--wait=false');
    }
  },
);

function withMatch(match: Fields): Fields {
  return { ...AGREEMENT, match: { ...AGREEMENT.match, ...match } };
}

async function apply(kind: string, spec: Fields): Promise<{ readonly status: number; readonly message: string }> {
  const { status, body } = await client.call({
    method: 'POST',
    path: `/apis/lazaret.dev/v1alpha1/${RESOURCES[kind]}?dryRun=All&fieldValidation=Strict`,
    body: { apiVersion: 'lazaret.dev/v1alpha1', kind, metadata: { name: 'case' }, spec },
  });
  return { status, message: typeof body.message === 'string' ? body.message : '' };
}

async function fileOf(kind: string, name: string, spec: Fields): Promise<string> {
  const { mkdtemp, writeFile } = await import('node:fs/promises');
  const file = join(await mkdtemp('/tmp/lazaret-resource-'), 'resource.json');
  await writeFile(file, JSON.stringify({ apiVersion: 'lazaret.dev/v1alpha1', kind, metadata: { name }, spec }));
  return file;
}
