import { afterAll, beforeAll, expect, it } from 'vitest';
import { type WantedAlert, waitForClear, waitForFiring } from './sre-alerts.ts';
import {
  askAfterTheEnd,
  ENDING,
  leavePodUnguarded,
  makeEndingAgreements,
  recordMuch,
  removeEndingAgreements,
  removeUnguarded,
  scale,
  setEvaluation,
  shortenCollectorCertificate,
} from './sre-causes.ts';
import { askPanels, formatResult, type PanelResult, readInstalledDashboard } from './sre-dashboard.ts';
import { fillVolume, listenAsGuard, removeOldestSegment } from './sre-node.ts';
import { askDoctor, changePolicy, SCRAPE_SECONDS, setStage, type SreStage, tryDeniedPod } from './sre-stage.ts';
import { getObject } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

let stage: SreStage;
let leave = async (): Promise<void> => undefined;
const fired = new Set<string>();
const begun = performance.now();

const say = (line: string): void =>
  void process.stderr.write(`sre: ${Math.round((performance.now() - begun) / 1_000)} s: ${line}\n`);

beforeAll(async () => {
  stage = await setStage();
  ({ leave } = stage);
  say('installed');
});
afterAll(() => leave());

it('Prometheus finds every program of the release by the chart’s monitors, and reads them all', async () => {
  const targets = await waitFor('five readable targets', async () => {
    const all = await stage.prometheus.targets();
    return all.length === 5 && all.every(({ health }) => health === 'up') ? all : null;
  });
  const found = targets.map(
    ({ labels }) => `${labels['job']} ${labels['namespace']}/${labels['pod']} ${labels['container']}`,
  );
  for (const target of found.toSorted()) say(`target: ${target}`);
  const { items } = (await getObject(['pods', '--namespace=lazaret'])) as {
    readonly items: readonly { readonly metadata: { readonly name: string } }[];
  };
  for (const { metadata } of items) expect(found.join('\n')).toContain(`lazaret/${metadata.name} `);
  for (const pod of ['client', 'quiet'])
    expect(found).toContain(`lazaret/lazaret-sidecars ${stage.clinic}/${pod} lazaret-sidecar`);
});

it('every query of the dashboard returns data', async () => {
  let last: readonly PanelResult[] = [];
  try {
    await waitFor('data for every panel', async () => {
      await tryDeniedPod(stage);
      last = await askPanels(stage.prometheus, `${4 * SCRAPE_SECONDS}s`);
      return last.every(({ samples }) => samples.some(({ value }) => value[1] !== 'NaN')) ? true : null;
    });
  } finally {
    say('Grafana is not among Debian’s packages: each panel’s query with its result instead of a picture');
    for (const result of last) process.stderr.write(`sre: panel ${formatResult(result)}\n`);
  }
  const { templating } = await readInstalledDashboard();
  expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'namespace']);
  expect(await stage.prometheus.labelValues('namespace', 'lazaret_guarded_pods')).toEqual([stage.clinic]);
});

/** Waits until they fire, and says of each by what. */
async function expectFiring(wanted: readonly WantedAlert[]): Promise<void> {
  const alerts = await waitForFiring(stage.prometheus, wanted);
  for (const [at, { annotations }] of alerts.entries()) {
    const { name = '', cause = '' } = wanted[at] ?? {};
    fired.add(name);
    say(`fires: ${name}: ${annotations['summary']}. Cause: ${cause}`);
    expect(annotations['runbook_url']).toBe(`docs/runbooks.md#${name.toLowerCase()}`);
  }
}

async function expectClear(gone: readonly WantedAlert[]): Promise<void> {
  await waitForClear(stage.prometheus, gone);
  say(`clear: ${gone.map(({ name }) => name).join(', ')}`);
}

it('each alert of what wears out or is left open fires by its cause and clears with it', {
  timeout: 240_000,
}, async () => {
  const { clinic, product, prometheus } = stage;
  const [open] = await Promise.all([leavePodUnguarded(), makeEndingAgreements(), setEvaluation(true, product.keys)]);
  const empty = await fillVolume();
  const stopListening = await listenAsGuard(clinic, 'quiet');
  const wanted: readonly WantedAlert[] = [
    {
      name: 'LazaretUnguardedPhiPods',
      labels: { namespace: open },
      cause: 'a namespace was labelled after its pod was made',
    },
    {
      name: 'LazaretForeignSockets',
      labels: { pod: 'quiet' },
      cause: 'a program in the pod listens under the uid of the guard',
    },
    {
      name: 'LazaretRefusalSurge',
      labels: { reason: 'agreement_expired' },
      cause: 'an application asks on after the end of its agreement',
    },
    { name: 'LazaretEvidenceVolumeLow', cause: 'a file takes nine tenths of the evidence volume' },
    { name: 'LazaretRegisterFull', cause: 'the volume came with a list that is full' },
    { name: 'LazaretEvaluation', cause: 'helm upgrade with evaluation=true' },
    {
      name: 'LazaretAgreementExpiring30Days',
      labels: { agreement: ENDING.month },
      cause: 'a contract that ends in 20 days',
    },
    {
      name: 'LazaretAgreementExpiring7Days',
      labels: { agreement: ENDING.week },
      cause: 'a contract that ends in 3 days',
    },
    { name: 'LazaretAgreementExpired', labels: { agreement: ENDING.now }, cause: 'a contract that ended a moment ago' },
  ];
  const [, refusal] = await Promise.all([expectFiring(wanted), askAfterTheEnd(clinic, 'client')]);
  expect(refusal).toContain('agreement_expired');
  for (const { check, level, text } of await askDoctor()) say(`doctor: ${level} ${check}: ${text}`);
  await Promise.all([
    removeEndingAgreements(),
    empty(),
    stopListening(),
    removeUnguarded(open),
    setEvaluation(false, product.keys),
  ]);
  await expectClear(wanted.filter(({ name }) => name !== 'LazaretRefusalSurge' && name !== 'LazaretRegisterFull'));
  void prometheus;
});

const GONE: readonly WantedAlert[] = [
  { name: 'LazaretCollectorDown', cause: 'the collector has no pod' },
  { name: 'LazaretAuditLag', labels: { pod: 'client' }, cause: 'records wait for the collector' },
  { name: 'LazaretSpoolHigh', labels: { pod: 'client' }, cause: 'exchanges of megabytes while the collector is away' },
];
const LATE: readonly WantedAlert[] = [
  { name: 'LazaretGuardDown', cause: 'the controller has no pod' },
  {
    name: 'LazaretPolicyStale',
    labels: { pod: 'client' },
    cause: 'a changed agreement that no controller brings to the pod',
  },
  { name: 'LazaretRegisterStale', cause: 'no controller renews the list of chains' },
  {
    name: 'LazaretCertificateExpiring',
    labels: { certificate: 'collector' },
    cause: 'the collector’s certificate ends within a day and no controller renews it',
  },
];
const CONFLICT: WantedAlert = {
  name: 'LazaretEvidenceConflict',
  labels: { finding: 'gap' },
  cause: 'a segment of records was removed from the disk of the pod',
};

it('each alert of an outage fires by its cause and clears with it', { timeout: 360_000 }, async () => {
  const { clinic } = stage;
  await changePolicy();
  await waitForClear(stage.prometheus, LATE);
  await Promise.all([scale('deployment/lazaret-controller', 0), scale('statefulset/lazaret-collector', 0)]);
  say('controller and collector are gone');
  await changePolicy();
  expect(await recordMuch(clinic, 'client')).toEqual([200, 200, 200]);
  await expectFiring(GONE);
  for (const { check, level, text } of await askDoctor()) say(`doctor: ${level} ${check}: ${text}`);
  await Promise.all([shortenCollectorCertificate(), removeOldestSegment(clinic, 'client')]);
  await scale('statefulset/lazaret-collector', 1);
  say('the collector is back');
  await Promise.all([expectFiring([CONFLICT]), expectFiring(LATE), expectClear(GONE)]);
  for (const { check, level, text } of await askDoctor()) say(`doctor: ${level} ${check}: ${text}`);
  await scale('deployment/lazaret-controller', 2);
  say('the controller is back');
  await expectClear([...LATE, CONFLICT]);
});

it('no alert of the chart is missing here', async () => {
  const rules = (await getObject(['prometheusrule/lazaret', '--namespace=lazaret'])) as {
    readonly spec: { readonly groups: readonly { readonly rules: readonly { readonly alert: string }[] }[] };
  };
  const alerts = rules.spec.groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  expect([...fired].toSorted()).toEqual(alerts.toSorted());
  await waitForClear(
    stage.prometheus,
    alerts.map((name) => ({ name, cause: '' })),
  );
});
