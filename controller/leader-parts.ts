import { readFile } from 'node:fs/promises';
import { LIMIT } from '#contract/limit.ts';
import type { ControllerConfig } from './config.ts';
import type { ControllerCore, ControllerWorld } from './core.ts';
import { startExemptionsMap } from './exemptions-map.ts';
import type { LeaderWork } from './leader-work.ts';
import { createCollectorClient } from './register/collector-client.ts';
import { createRegisterMetrics } from './register/register-metrics.ts';
import { startRegister } from './register/register.ts';
import { startResourceStatus } from './resource-status.ts';
import type { ServingUpkeep } from './serving/serving-upkeep.ts';
import type { BaseSource } from './webhook-context.ts';

/** What the leader's work asks of the replica. */
export interface LeaderSources {
  readonly base: BaseSource;
  readonly upkeep: ServingUpkeep;
}

/** The name of the admission policies' parameters. */
export function parametersName({ LAZARET_FULLNAME: fullname }: Pick<ControllerConfig, 'LAZARET_FULLNAME'>): string {
  return `${fullname}-exemptions`;
}

/**
 * What one replica does for all: conditions of the resources, the parameters of the admission policies, and the list of
 * chains that must exist. @returns how it is started
 */
export function leaderParts(
  { config, clock, log }: ControllerWorld,
  { api, view, policies, keys, metrics }: ControllerCore,
  { base, upkeep }: LeaderSources,
): () => readonly LeaderWork[] {
  const { LAZARET_NAMESPACE: namespace, LAZARET_FULLNAME: fullname, LAZARET_COLLECTOR: url } = config;
  const shared = { view, policies, api: api.ask, log, now: clock.now };
  const registerMetrics = createRegisterMetrics(metrics.registry);
  const register = (collector: string): LeaderWork =>
    startRegister({
      view,
      keys: () => keys.keys()?.signing ?? null,
      jwks: () => keys.keys()?.jwks ?? null,
      collector: createCollectorClient({
        url: collector,
        ca: () => upkeep.source.serving()?.trust ?? '',
        token: () => readFile(config.LAZARET_COLLECTOR_TOKEN, 'utf8'),
      }),
      retentionMs: LIMIT.expectedKeptMs,
      metrics: registerMetrics,
      log,
      now: clock.now,
    });
  return () => [
    startResourceStatus({ ...shared, instance: config.LAZARET_POD_NAME }),
    startExemptionsMap({
      ...shared,
      namespace,
      name: parametersName(config),
      settings: base.newest,
      labels: { 'app.kubernetes.io/name': 'lazaret', 'app.kubernetes.io/instance': fullname },
    }),
    ...(url === undefined ? [] : [register(url)]),
  ];
}
