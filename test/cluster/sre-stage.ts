// What an SRE has around the product: its monitoring switched on, Prometheus, a guarded namespace with applications at work.
import { stringify } from 'yaml';
import { clearProduct, installProduct, type Product } from './install.ts';
import { callFrom, callProvider, CALL, clinicalBody, createApp, PHI, runInApp, startApp } from './product-apps.ts';
import { GUARDED, LISTED_HOST } from './product-traffic.ts';
import { startDiscovery } from './sre-discovery.ts';
import { installMonitoringApi, readMonitors, readRuleGroups, removeMonitoringApi, scrapeJobs } from './sre-monitors.ts';
import { type Prometheus, startPrometheus } from './sre-prometheus.ts';
import { applyYaml, deleteNamespace, makeNamespace } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

/** Seconds between two scrapes. */
export const SCRAPE_SECONDS = 5;

const AGREEMENT = 'sre-anthropic';

/** Everything that the facts of this file share. */
export interface SreStage {
  readonly product: Product;
  readonly prometheus: Prometheus;
  /** A guarded namespace with the pod `client`. */
  readonly clinic: string;
  readonly leave: () => Promise<void>;
}

/** The release's values: monitoring on, and what takes hours or days in the world takes seconds here. */
const VALUES = stringify({
  egress: { destinations: [LISTED_HOST] },
  monitors: { enabled: true, interval: `${SCRAPE_SECONDS}s` },
  dashboard: { enabled: true },
  alerts: { enabled: true },
});

/** Installs the product with its monitoring, finds its targets by its monitors, and sets applications to work. */
export async function setStage(): Promise<SreStage> {
  // What is made last is taken away first, also where this fails half way.
  const ends = new AsyncDisposableStack();
  try {
    await clearProduct();
    ends.defer(removeMonitoringApi);
    await installMonitoringApi();
    if (process.env['SRE_KEEP'] !== '1') ends.defer(clearProduct);
    const hosts = ['api.anthropic.com', 'api.openai.com', LISTED_HOST];
    const product = await installProduct({ hosts, values: VALUES });
    ends.defer(() => product.leave());
    const discovery = await startDiscovery();
    ends.defer(() => discovery.stop());
    const prometheus = await startPrometheus({
      scrapeJobs: (await readMonitors()).flatMap((monitor) => scrapeJobs(monitor, discovery)),
      ruleGroups: await readRuleGroups(),
      evaluationInterval: '2s',
    });
    ends.defer(prometheus.stop);
    const clinic = await makeNamespace(GUARDED);
    ends.defer(() => deleteNamespace(clinic));
    await applyYaml(stringify(agreement()));
    await startApp(clinic, 'client');
    return { product, prometheus, clinic, leave: () => ends.disposeAsync() };
  } catch (fault) {
    await ends.disposeAsync();
    throw fault;
  }
}

function agreement(): object {
  return {
    apiVersion: 'lazaret.dev/v1alpha1',
    kind: 'ProviderAgreement',
    metadata: { name: AGREEMENT },
    spec: {
      provider: 'Anthropic',
      product: 'Claude API',
      match: { hosts: ['api.anthropic.com'], paths: ['POST /v1/messages'] },
      contract: { status: 'signed', ref: 'SRE-1', signedOn: '2026-01-15', expiresOn: '2036-01-15' },
    },
  };
}

/** One of each kind of thing that the dashboard shows: answers, streams, refusals, opaque connections, a client's distrust, a denied pod. */
export async function makeTraffic({ clinic }: SreStage): Promise<void> {
  await waitFor('the agreement in the pod', async () =>
    (await callProvider(clinic, 'client')).status === 200 ? true : null,
  );
  const script = `${CALL}
    import { connect } from 'node:tls';
    const distrust = () => new Promise((resolve) => {
      const options = { host: 'api.anthropic.com', port: 443, servername: 'api.anthropic.com', ca: [] };
      connect(options).on('error', resolve).on('secureConnect', resolve);
    });
    const body = ${JSON.stringify(clinicalBody())};
    for (let count = 0; count < 5; count++) {
      await call(MESSAGES, body);
      await call(MESSAGES, { ...body, stream: true });
      await call('https://api.openai.com/v1/chat/completions', { model: 'gpt-5', messages: body.messages });
    }
    await call('https://${LISTED_HOST}/');
    await distrust();
    console.log('null');
  `;
  await runInApp(clinic, 'client', script);
  await callFrom(clinic, 'client', 'https://elsewhere.example.org/');
  await createApp(clinic, 'denied', { labels: PHI, spec: { hostNetwork: true } }).catch(() => undefined);
}
