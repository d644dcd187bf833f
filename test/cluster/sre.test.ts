import { afterAll, beforeAll, expect, it } from 'vitest';
import { readInstalledDashboard, askPanels, formatResult, type PanelResult } from './sre-dashboard.ts';
import { makeTraffic, SCRAPE_SECONDS, setStage, type SreStage } from './sre-stage.ts';
import { getObject } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

let stage: SreStage;
let leave = async (): Promise<void> => undefined;

const say = (line: string): void => void process.stderr.write(`sre: ${line}\n`);

beforeAll(async () => {
  stage = await setStage();
  ({ leave } = stage);
});
afterAll(() => leave());

it('Prometheus finds every program of the release by the chart’s monitors, and reads them all', async () => {
  const targets = await waitFor('four readable targets', async () => {
    const all = await stage.prometheus.targets();
    return all.length === 4 && all.every(({ health }) => health === 'up') ? all : null;
  });
  const found = targets.map(
    ({ labels }) => `${labels['job']} ${labels['namespace']}/${labels['pod']} ${labels['container']}`,
  );
  for (const target of found.toSorted()) say(`target: ${target}`);
  const { items } = (await getObject(['pods', '--namespace=lazaret'])) as {
    readonly items: readonly { readonly metadata: { readonly name: string } }[];
  };
  for (const { metadata } of items) expect(found.join('\n')).toContain(`lazaret/${metadata.name} `);
  expect(found).toContain(`lazaret/lazaret-sidecars ${stage.clinic}/client lazaret-sidecar`);
});

it('every query of the dashboard returns data', async () => {
  await makeTraffic(stage);
  let last: readonly PanelResult[] = [];
  try {
    await waitFor(
      'data for every panel',
      async () => {
        last = await askPanels(stage.prometheus, `${4 * SCRAPE_SECONDS}s`);
        return last.every(({ samples }) => samples.length > 0) ? true : null;
      },
      45,
    );
  } finally {
    say('Grafana is not among Debian’s packages: each panel’s query with its result instead of a picture');
    for (const result of last) say(formatResult(result));
  }
  const { templating } = await readInstalledDashboard();
  expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'namespace']);
  expect(await stage.prometheus.labelValues('namespace', 'lazaret_guarded_pods')).toEqual([stage.clinic]);
});
