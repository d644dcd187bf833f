import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  AWAY,
  CONFLICT,
  LATE,
  LISTS,
  REGISTER_FULL,
  type WantedAlert,
  waitForClear,
  waitForFiring,
  wornOut,
} from './sre-alerts.ts';
import {
  askAfterTheEnd,
  ENDING,
  leavePodUnguarded,
  makeEndingAgreements,
  recordMuch,
  removeEndingAgreements,
  removeParameters,
  removeUnguarded,
  scale,
  setEvaluation,
  setSpoiltLists,
  shortenCollectorCertificate,
  spoilParameters,
} from './sre-causes.ts';
import { askPanels, formatResult, type PanelResult, readInstalledDashboard } from './sre-dashboard.ts';
import { fillVolume, leaveFullList, listenAsGuard, removeOldestSegment } from './sre-node.ts';
import {
  askDoctor,
  freshenPolicy,
  giveUpAgreement,
  SCRAPE_SECONDS,
  setStage,
  type SreStage,
  tryDeniedPod,
} from './sre-stage.ts';
import { deleteNamespace, getObject, makeNamespace } from './test-cluster.ts';
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

/** Asks the doctor until it says each of these, a line each: metrics of guards and mounted files are some seconds behind. */
async function expectDoctor(lines: readonly RegExp[]): Promise<void> {
  let said: readonly string[] = [];
  const saysAll = async (): Promise<true | null> => {
    said = (await askDoctor())
      .filter(({ level }) => level !== 'ok')
      .map(({ level, check, text }) => `${level} ${check}: ${text}`);
    return lines.every((line) => said.some((one) => line.test(one))) ? true : null;
  };
  await waitFor('the doctor', saysAll).catch(() => undefined);
  for (const line of said) say(`doctor: ${line}`);
  for (const line of lines) expect(said).toContainEqual(expect.stringMatching(line));
}

it('what wears out or is left open: each alert fires by its cause and clears with it', {
  timeout: 300_000,
}, async () => {
  const { clinic, product } = stage;
  const open = await makeNamespace();
  stage.defer(() => deleteNamespace(open));
  await Promise.all([leavePodUnguarded(open), makeEndingAgreements(), setEvaluation(true, product.keys)]);
  const empty = await fillVolume();
  const stopListening = await listenAsGuard(clinic, 'quiet');
  stage.defer(stopListening);
  const wanted = wornOut(open);
  const [, refusal] = await Promise.all([expectFiring(wanted), askAfterTheEnd(clinic, 'client')]);
  expect(refusal).toMatch(/^403 .*agreement_expired/);
  await expectDoctor([
    new RegExp(`^broken pods: the pod ${open}/older must be guarded and has no sidecar`),
    new RegExp(
      `^broken guards: a program runs under the user of the guard in the pod ${clinic}/quiet: all its traffic is refused$`,
    ),
    /^broken collector: the evidence volume has \d %/,
    /^broken controller: the list of chains that must exist is full/,
    /^notice keys: records are sealed to a key in this cluster \(evaluation\)/,
    new RegExp(`^notice agreements: the agreement ${ENDING.month} ends in 19 days$`),
    new RegExp(`^notice agreements: the agreement ${ENDING.week} ends in 2 days$`),
    new RegExp(`^broken agreements: the agreement ${ENDING.now} has ended: what it covered is refused$`),
  ]);
  await Promise.all([removeEndingAgreements(), empty(), stopListening(), removeUnguarded(open)]);
  await setEvaluation(false, product.keys);
  // A list stays full until the time of its lines is over: after the outage below.
  await expectClear(wanted.filter(({ name }) => name !== REGISTER_FULL.name));
});

it('lists that cannot be used: the alert fires, the doctor says so, and it clears with them', {
  timeout: 400_000,
}, async () => {
  await setSpoiltLists(true);
  await expectFiring([LISTS]);
  await expectDoctor([/^broken controller: the lists of the release cannot be used: guarded pods refuse everything/]);
  await setSpoiltLists(false);
  await expectClear([LISTS]);
});

it('an outage: each alert fires by its cause and clears with it', { timeout: 400_000 }, async () => {
  const { clinic } = stage;
  await freshenPolicy(stage);
  await waitForClear(stage.prometheus, LATE);
  await Promise.all([scale('deployment/lazaret-controller', 0), scale('statefulset/lazaret-collector', 0)]);
  say('controller and collector are gone');
  await giveUpAgreement();
  expect(await recordMuch(clinic, 'client')).toEqual([200, 200, 200]);
  const gone = [
    /^broken controller: the controller is scaled to 0: no PHI-bearing pod can be created$/,
    /^broken collector: the collector is scaled to 0: records stay in the pods until their spools are full$/,
  ];
  await spoilParameters();
  await expectDoctor([
    ...gone,
    /^broken policies: the PolicyParameters lazaret-exemptions are stale: they know registry\.example\.org/,
  ]);
  await removeParameters();
  await expectDoctor([
    ...gone,
    /^broken policies: the PolicyParameters lazaret-exemptions are missing: every PHI-bearing pod is denied$/,
  ]);
  await expectFiring(AWAY);
  await Promise.all([shortenCollectorCertificate(), removeOldestSegment(clinic, 'client'), leaveFullList(Date.now())]);
  await scale('statefulset/lazaret-collector', 1);
  say('the collector is back');
  await Promise.all([expectFiring([CONFLICT, ...LATE]), expectClear(AWAY)]);
  await expectDoctor([
    /^broken certificates: the certificate "collector" ends in 19 hours and was not renewed$/,
    /^broken collector: chains of evidence do not go on where they ended$/,
  ]);
  await scale('deployment/lazaret-controller', 2);
  say('the controller is back');
  await expectClear([...LATE, CONFLICT, REGISTER_FULL]);
});

it('every alert of the chart came, none is left, and the doctor says of what stays only that evidence is missing', async () => {
  const rules = (await getObject(['prometheusrule/lazaret', '--namespace=lazaret'])) as {
    readonly spec: { readonly groups: readonly { readonly rules: readonly { readonly alert: string }[] }[] };
  };
  const alerts = rules.spec.groups.flatMap((group) => group.rules.map(({ alert }) => alert));
  expect([...fired].toSorted()).toEqual(alerts.toSorted());
  await waitForClear(
    stage.prometheus,
    alerts.map((name) => ({ name, cause: '' })),
  );
  const broken = (await askDoctor()).filter(({ level }) => level === 'broken');
  expect(broken.map(({ text }) => text)).toEqual(['chains of evidence do not go on where they ended']);
});
