// What an SRE has around the product: its monitoring switched on, Prometheus, a guarded namespace with applications at work.
import { stringify } from 'yaml';
import { doctor } from '#cli/doctor.ts';
import type { Verdict } from '#cli/doctor-verdict.ts';
import { terminal } from '#test/sidecar/audit/rig.ts';
import { clearProduct, installProduct, type Product } from './install.ts';
import { CALL, clinicalBody, createApp, startApp } from './product-apps.ts';
import { GUARDED, LISTED_HOST } from './product-traffic.ts';
import { agreement } from './sre-causes.ts';
import { startDiscovery } from './sre-discovery.ts';
import { installMonitoringApi, readMonitors, readRuleGroups, removeMonitoringApi, scrapeJobs } from './sre-monitors.ts';
import { leaveFullList, mountVolume, unmountVolume } from './sre-node.ts';
import { type Prometheus, startPrometheus } from './sre-prometheus.ts';
import { applyYaml, deleteNamespace, kubectl, makeNamespace, PLACE } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

/** Seconds between two scrapes. */
export const SCRAPE_SECONDS = 5;

const AGREEMENT = 'sre-anthropic';
const GIVEN_UP = 'sre-given-up';
const FAR_MS = 3_650 * 86_400_000;

/** Everything that the facts of this file share. */
export interface SreStage {
  readonly product: Product;
  readonly prometheus: Prometheus;
  /** A guarded namespace with the pods `client`, which calls and calls, and `quiet`. */
  readonly clinic: string;
  /** Has something done at the end, whatever comes before it. */
  readonly defer: (end: () => Promise<void>) => void;
  readonly leave: () => Promise<void>;
}

/** The release's values: monitoring on, and what takes minutes to days in the world takes seconds here. */
const VALUES = stringify({
  egress: { destinations: [LISTED_HOST] },
  monitors: { enabled: true, interval: `${SCRAPE_SECONDS}s` },
  dashboard: { enabled: true },
  alerts: {
    enabled: true,
    thresholds: {
      guardDownFor: '5s',
      unguardedFor: '5s',
      refusalsWindow: '30s',
      refusalsFor: '5s',
      policyAgeHours: 0.015,
      policyAgeFor: '5s',
      spoolRatio: 0.04,
      spoolFor: '5s',
      auditLagSeconds: 15,
      auditLagFor: '5s',
      collectorDownFor: '5s',
      findingsWindow: '30s',
      volumeFreeFor: '5s',
      // The list is renewed each minute.
      registerAgeSeconds: 75,
      registerAgeFor: '5s',
      certificateFor: '5s',
      evaluationFor: '5s',
    },
  },
});

/** Installs the product with its monitoring, finds its targets by its monitors, and sets applications to work. */
export async function setStage(): Promise<SreStage> {
  process.env['KUBECONFIG'] = PLACE.kubeconfig;
  // What is made last is taken away first, also where this fails half way.
  const ends = new AsyncDisposableStack();
  try {
    await clearProduct();
    ends.defer(removeMonitoringApi);
    await installMonitoringApi();
    await mountVolume();
    ends.defer(unmountVolume);
    await leaveFullList(Date.now() + 3_600_000);
    ends.defer(clearProduct);
    const hosts = ['api.anthropic.com', 'api.openai.com', LISTED_HOST];
    const product = await installProduct({ hosts, values: VALUES });
    ends.defer(() => product.leave());
    const prometheus = await watchRelease(ends);
    const clinic = await makeNamespace(GUARDED);
    ends.defer(() => deleteNamespace(clinic));
    await applyYaml(agreement(AGREEMENT, ['api.anthropic.com', '/v1/messages'], Date.now() + FAR_MS));
    await Promise.all([startApp(clinic, 'client', { script: TRAFFIC }), startApp(clinic, 'quiet')]);
    return { product, prometheus, clinic, defer: (end) => ends.defer(end), leave: () => ends.disposeAsync() };
  } catch (fault) {
    await ends.disposeAsync().catch(() => undefined);
    throw fault;
  }
}

async function watchRelease(ends: AsyncDisposableStack): Promise<Prometheus> {
  const discovery = await startDiscovery();
  ends.defer(() => discovery.stop());
  const prometheus = await startPrometheus({
    scrapeJobs: (await readMonitors()).flatMap((monitor) => scrapeJobs(monitor, discovery)),
    ruleGroups: await readRuleGroups(),
    evaluationInterval: '2s',
  });
  ends.defer(prometheus.stop);
  return prometheus;
}

/** One of each kind of thing that the dashboard shows: answers, streams, refusals, opaque connections, a client's distrust. */
const TRAFFIC = `${CALL}
  import { connect } from 'node:tls';
  const distrust = () => new Promise((resolve) => {
    const options = { host: 'api.anthropic.com', port: 443, servername: 'api.anthropic.com', ca: [] };
    connect(options).on('error', resolve).on('secureConnect', resolve);
  });
  const body = ${JSON.stringify(clinicalBody())};
  for (let turn = 0; ; turn++) {
    await call(MESSAGES, body);
    await call(MESSAGES, { ...body, stream: true });
    if (turn % 5 === 0) {
      await call('https://api.openai.com/v1/chat/completions', { model: 'gpt-5', messages: body.messages });
      await call('https://${LISTED_HOST}/');
      await distrust();
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
`;

/** A PHI-bearing pod that admission denies (B-01). */
export async function tryDeniedPod({ clinic }: SreStage): Promise<void> {
  await createApp(clinic, 'denied', { spec: { hostNetwork: true } }).catch(() => undefined);
}

/** Makes one more agreement, and waits until the guard of `client` has it: its policy is fresh then. */
export async function freshenPolicy({ clinic, prometheus }: SreStage): Promise<void> {
  await applyYaml(agreement(GIVEN_UP, ['api.openai.com', '/v1/images'], Date.now() + FAR_MS));
  const age = `lazaret_agreement_expiry_seconds{agreement="${GIVEN_UP}",namespace="${clinic}",pod="client"}`;
  await waitFor('the agreement in the guard', async () => ((await prometheus.query(age)).length > 0 ? true : null));
}

/** Takes it away again: from then on what the guards have is not what they should have. */
export async function giveUpAgreement(): Promise<void> {
  await kubectl(['delete', 'provideragreement', GIVEN_UP]);
}

/** What `lazaret doctor` says of the cluster, a verdict a line. */
export async function askDoctor(): Promise<readonly Verdict[]> {
  const io = terminal();
  await doctor(['--json'], io);
  const lines = io.out.join('').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Verdict);
}
