import { LIMIT } from '#contract/limit.ts';
import { type ControllerCore, type ControllerWorld, createCore, isEvaluation } from './core.ts';
import { openBundles, openWebhook } from './doors.ts';
import { leaderParts, parametersName } from './leader-parts.ts';
import { followLeadership } from './leader-work.ts';
import { openReleaseLists, type ReleaseLists } from './lists/release-lists.ts';
import { updateGauges } from './ops/gauges.ts';
import { type HealthDoor, serveHealth } from './ops/health.ts';
import { reportLists } from './ops/report.ts';
import { createServing, type ServingUpkeep } from './serving/serving-upkeep.ts';
import { followAdoption } from './settings-adoption.ts';
import { type BaseSource, createBase } from './webhook-context.ts';

/** A controller that runs. */
export interface Controller {
  readonly webhookPort: number;
  readonly bundlePort: number;
  readonly opsPort: number;
  /** Names of what it still waits for; empty when it is ready. */
  readonly unready: () => readonly string[];
  /** Serves on while endpoints are withdrawn, then answers what is in work, then ends. */
  readonly close: () => Promise<void>;
}

/** The parts of one replica. */
interface Replica {
  readonly world: ControllerWorld;
  readonly core: ControllerCore;
  readonly base: BaseSource;
  readonly upkeep: ServingUpkeep;
}

/**
 * Starts the controller: it watches the cluster, keeps the release's keys and certificates, answers reviews and gives
 * bundles as soon as there is something to decide by.
 * @throws when an address cannot be had
 */
export async function startController(world: ControllerWorld): Promise<Controller> {
  const stop = new AbortController();
  let closing = false;
  // Before anybody is given a policy: without what it says of lists, guards would find less than was promised.
  const lists = await openLists(world);
  const core = createCore(world, lists);
  const upkeep = createServing(world, core);
  const base = createBase(world.clock.now, (faults) =>
    world.log.error({ faults }, 'the values or agreements have faults; what was good before stays in force'),
  );
  const replica = { world, core, base, upkeep };
  const unready = () => [...findMissing(replica), ...(closing ? ['stopping'] : [])];
  const health = await openHealth(replica, unready);
  const webhook = await openWebhook(world, core, base);
  const bundles = await openBundles(world, core, upkeep.source);
  const forget = core.view.onChange((change) => (change === 'policy' || base.base() === null) && updateBase(replica));
  const renew = (): void => {
    updateBase(replica);
    const serving = upkeep.source.serving();
    if (serving !== null) webhook.setCertificate(serving);
    bundles.renew();
  };
  const running = runParts(replica, renew, stop.signal);
  const close = async (): Promise<void> => {
    closing = true;
    webhook.retire();
    bundles.server.retire();
    await world.clock.sleep(LIMIT.webhookGraceMs, stop.signal);
    await Promise.all([webhook.drain(), bundles.server.close()]);
    forget();
    lists.close();
    stop.abort();
    await Promise.all([...running, core.view.stop()]);
    core.api.close();
    await health.close();
  };
  return { webhookPort: webhook.port, bundlePort: bundles.port, opsPort: health.port, unready, close };
}

function openLists({ config, log }: ControllerWorld): Promise<ReleaseLists> {
  return openReleaseLists({ root: config.LAZARET_LISTS, ...reportLists(log) });
}

/** What runs until the signal aborts. */
function runParts(
  { world, core, base, upkeep }: Replica,
  renew: () => void,
  signal: AbortSignal,
): readonly Promise<void>[] {
  const { config, clock } = world;
  const objects = `/apis/lazaret.dev/v1alpha1/namespaces/${config.LAZARET_NAMESPACE}/policyparameters`;
  const parameters = `${objects}/${parametersName(config)}`;
  return [
    core.leader.run(signal),
    upkeep.run(renew, signal),
    followAdoption({ base, api: core.api.ask, parameters, clock }, signal),
    followLeadership(core.leader.isLeader, leaderParts(world, core, { base, upkeep }), clock, signal),
  ];
}

/** Makes what reviews are decided by, once everything that it is made of is there. */
function updateBase({ world, core, base, upkeep }: Replica): void {
  const { view, keys, policies, evaluation } = core;
  const [known, serving] = [keys.keys(), upkeep.source.serving()];
  if (known === null || serving === null || !view.synced()) return;
  const inputs = view.policy();
  const recipients = isEvaluation(core) ? evaluation.recipients() : null;
  if (isEvaluation(core) && recipients === null) return;
  base.update({
    values: inputs.values,
    judged: policies.judge(inputs),
    releaseNamespace: world.config.LAZARET_NAMESPACE,
    key: known.identity,
    material: { bundleKeys: known.jwks, releaseAuthority: serving.trust },
    recipients,
  });
}

function findMissing({ core: { view, keys }, base, upkeep }: Replica): readonly string[] {
  return [
    ...(view.synced() ? [] : ['cluster']),
    ...(keys.keys() === null ? ['keys'] : []),
    ...(upkeep.source.serving() === null ? ['certificate'] : []),
    ...(base.base() === null ? ['configuration'] : []),
    ...(upkeep.trusted() ? [] : ['caBundle']),
  ];
}

function openHealth({ world, core, upkeep }: Replica, unready: () => readonly string[]): Promise<HealthDoor> {
  const { metrics, view, policies, leader } = core;
  const sources = {
    view,
    policies,
    releaseNamespace: world.config.LAZARET_NAMESPACE,
    now: world.clock.now,
    certificates: upkeep.ends,
    repairs: upkeep.repairs,
    isLeader: leader.isLeader,
    isEvaluation: () => isEvaluation(core),
    lists: () => core.lists.inPolicy(),
  };
  return serveHealth(world.config.LAZARET_OPS, {
    metrics: () => {
      updateGauges(metrics, sources);
      return metrics.registry.metrics();
    },
    metricsType: metrics.registry.contentType,
    unready,
  });
}
