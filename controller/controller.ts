import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { LIMIT } from '#contract/limit.ts';
import type { Clock } from './clock.ts';
import { connectApi, type KubeApi } from './cluster/api.ts';
import { createBackoff } from './cluster/backoff.ts';
import { type KeptView, watchCluster } from './cluster/cluster-view.ts';
import type { ApiCredentials } from './cluster/credentials.ts';
import type { ControllerConfig } from './config.ts';
import { createLeader, type Leader } from './leader.ts';
import { updateGauges } from './ops/gauges.ts';
import { serveHealth } from './ops/health.ts';
import { createMetrics, type Metrics } from './ops/metrics.ts';
import { reportAdmission } from './ops/report.ts';
import { createKeySource, type KeySource } from './release-keys.ts';
import { releaseOwner } from './release-owner.ts';
import { startServing, type ServingUpkeep } from './serving/serving-upkeep.ts';
import { type BaseSource, createBase } from './webhook-context.ts';
import { createSettle } from './webhook-answer.ts';
import { serveWebhook, type Webhook } from './webhook.ts';

/** What the controller is started with. */
export interface ControllerWorld {
  readonly config: ControllerConfig;
  readonly credentials: ApiCredentials;
  readonly clock: Clock;
  /** A number from 0 up to 1. */
  readonly random: () => number;
  readonly log: Logger;
  readonly version: string;
}

/** A controller that runs. */
export interface Controller {
  readonly webhookPort: number;
  readonly opsPort: number;
  /** Names of what it still waits for; empty when it is ready. */
  readonly unready: () => readonly string[];
  /** Serves on while endpoints are withdrawn, then answers what is in work, then ends. */
  readonly close: () => Promise<void>;
}

/** What all parts share. */
export interface ControllerCore {
  readonly api: KubeApi;
  readonly metrics: Metrics;
  readonly view: KeptView;
  readonly keys: KeySource;
  readonly leader: Leader;
}

/**
 * Starts the controller: it watches the cluster, keeps the release's keys and certificates, and answers reviews as soon as
 * there is something to decide by.
 * @throws when an address cannot be had
 */
export async function startController(world: ControllerWorld): Promise<Controller> {
  const { config, clock, log } = world;
  const stop = new AbortController();
  let closing = false;
  const core = createCore(world);
  const { api, metrics, view, keys, leader } = core;
  const base = createBase(clock.now, (faults) =>
    log.error({ faults }, 'the chart values or agreements have faults; what was good before stays in force'),
  );
  const webhook = await openWebhook(world, core, base);
  const upkeep = startServing(world, core, () => update());
  const update = (): void => {
    const [known, serving] = [keys.keys(), upkeep.source.serving()];
    if (known !== null && serving !== null && view.synced()) {
      const material = { bundleKeys: known.jwks, releaseAuthority: serving.trust };
      base.update({ policy: view.policy(), releaseNamespace: config.LAZARET_NAMESPACE, key: known.identity, material });
    }
    if (serving !== null) webhook.setCertificate(serving);
  };
  const forget = view.onChange((change) => change === 'policy' && update());
  const unready = (): readonly string[] => [
    ...(view.synced() ? [] : ['cluster']),
    ...(keys.keys() === null ? ['keys'] : []),
    ...(upkeep.source.serving() === null ? ['certificate'] : []),
    ...(base.base() === null ? ['configuration'] : []),
    ...(upkeep.loop.trusted() ? [] : ['caBundle']),
    ...(closing ? ['stopping'] : []),
  ];
  const health = await serveHealth(config.LAZARET_OPS, {
    metrics: () => scrape(world, core, upkeep),
    metricsType: metrics.registry.contentType,
    unready,
  });
  const running = [leader.run(stop.signal), upkeep.loop.run(stop.signal)];
  const close = async (): Promise<void> => {
    closing = true;
    await clock.sleep(LIMIT.webhookGraceMs, stop.signal);
    await webhook.drain();
    forget();
    stop.abort();
    await Promise.all([...running, view.stop()]);
    api.close();
    await new Promise((resolve) => health.close(resolve));
  };
  return { webhookPort: webhook.port, opsPort: (health.address() as AddressInfo).port, unready, close };
}

/** Puts the webhook together: what it decides by, what it counts, what it logs. */
function openWebhook(world: ControllerWorld, { view, metrics }: ControllerCore, base: BaseSource): Promise<Webhook> {
  const { config, clock, log } = world;
  return serveWebhook(config.LAZARET_WEBHOOK_LISTEN, {
    view,
    base: base.base,
    settle: createSettle(view.until),
    now: clock.now,
    ready: () => view.synced() && base.base() !== null,
    onAnswer: (path, answered, seconds) => reportAdmission({ metrics, log }, path, answered, seconds),
    onRefusal: (status) => metrics.refusals.inc({ status }),
  });
}

function createCore(world: ControllerWorld): ControllerCore {
  const { config, credentials, clock, random, log } = world;
  const { LAZARET_NAMESPACE: namespace, LAZARET_FULLNAME: fullname } = config;
  const api = connectApi(credentials);
  const metrics = createMetrics();
  metrics.build.set({ version: world.version, program: 'lazaret-controller' }, 1);
  const onFault = (path: string, code: string): void => {
    metrics.watchFaults.inc({ resource: path.split('/').at(-1) ?? '' });
    log.warn({ path, code }, 'a list or watch of the API server failed; it is tried again');
  };
  const backoff = () => createBackoff({ sleep: clock.sleep, random });
  const view = watchCluster({ namespace, fullname }, { api, backoff, onFault });
  const owner = releaseOwner(api, namespace, fullname);
  const leader = createLeader(
    { namespace, name: `${fullname}-controller`, holder: config.LAZARET_POD_NAME, owner },
    api,
    clock,
  );
  const keys = createKeySource(
    { namespace, name: `${fullname}-keys`, mayCreate: leader.isLeader, now: clock.now },
    api,
  );
  return { api, metrics, view, keys, leader };
}

function scrape(
  world: ControllerWorld,
  { metrics, view, leader }: ControllerCore,
  upkeep: ServingUpkeep,
): Promise<string> {
  updateGauges(metrics, {
    view,
    releaseNamespace: world.config.LAZARET_NAMESPACE,
    now: world.clock.now,
    certificates: upkeep.ends,
    repairs: upkeep.loop.repairs,
    isLeader: leader.isLeader,
  });
  return metrics.registry.metrics();
}
