import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import { connectApi, type KubeApi } from './cluster/api.ts';
import { createBackoff } from './cluster/backoff.ts';
import { type KeptView, watchCluster } from './cluster/cluster-view.ts';
import type { ApiCredentials } from './cluster/credentials.ts';
import type { ControllerConfig } from './config.ts';
import { createEvaluationKeys, type EvaluationKeys } from './evaluation-keys.ts';
import { createLeader, type Leader } from './leader.ts';
import type { ReleaseLists } from './lists/release-lists.ts';
import { createMetrics, type Metrics } from './ops/metrics.ts';
import { PolicyCache } from './policy/policy-cache.ts';
import { createKeySource, type KeySource } from './release-keys.ts';
import { releaseOwner } from './release-owner.ts';

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

/** What all parts share. */
export interface ControllerCore {
  readonly api: KubeApi;
  readonly metrics: Metrics;
  readonly view: KeptView;
  readonly policies: PolicyCache;
  readonly lists: ReleaseLists;
  readonly keys: KeySource;
  readonly evaluation: EvaluationKeys;
  readonly leader: Leader;
}

/** Makes the shared parts; the watches begin at once. */
export function createCore(world: ControllerWorld, lists: ReleaseLists): ControllerCore {
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
  const view = watchCluster({ namespace, fullname }, { api, backoff, onFault, sleep: clock.sleep });
  const owner = releaseOwner(api, namespace, fullname);
  const holder = config.LAZARET_POD_NAME;
  const leader = createLeader({ namespace, name: `${fullname}-controller`, holder, owner }, api, clock);
  const mayCreate = leader.isLeader;
  const keys = createKeySource({ namespace, name: `${fullname}-keys`, mayCreate, now: clock.now }, api);
  const evaluation = createEvaluationKeys({ namespace, name: `${fullname}-evaluation-audit-key`, mayCreate }, api);
  const policies = new PolicyCache(() => lists.inPolicy());
  return { api, metrics, view, policies, lists, keys, evaluation, leader };
}

/** Whether the release is an evaluation, whose audit keys are made in the cluster. */
export function isEvaluation({ view }: Pick<ControllerCore, 'view'>): boolean {
  const { values } = view.policy();
  return typeof values === 'object' && values !== null && 'evaluation' in values && values.evaluation === true;
}
