import type { ControllerCore, ControllerWorld } from '../core.ts';
import { isEvaluation } from '../core.ts';
import { releaseOwner } from '../release-owner.ts';
import { type AuthoritySource, createAuthoritySource } from './authority-secret.ts';
import { endOf } from './chain-check.ts';
import { collectorNames, controllerNames } from './names.ts';
import { createServingLoop, type ServingLoop, type ServingParts } from './serving-loop.ts';
import { createFileLeaf, createOwnLeaf, type ServingSource } from './serving-source.ts';

/** The upkeep of keys and certificates, put together from the settings. */
export interface ServingUpkeep extends ServingLoop {
  readonly source: ServingSource;
  /** Ends of certificates, ms; null for one that is not known here. */
  readonly ends: () => Readonly<Record<'serving' | 'authority' | 'collector', number | null>>;
}

/** Puts the upkeep together; nothing happens before `run`. */
export function createServing(world: ControllerWorld, core: ControllerCore): ServingUpkeep {
  const { config, clock } = world;
  const { LAZARET_NAMESPACE: namespace, LAZARET_FULLNAME: fullname } = config;
  const terms = { namespace, name: `${fullname}-authority`, isLeader: core.leader.isLeader, now: clock.now };
  const authority = config.LAZARET_CERTS === 'files' ? null : createAuthoritySource(terms, core.api);
  const names = controllerNames(fullname, namespace, config.LAZARET_SERVING_NAMES);
  const source =
    authority === null ? createFileLeaf(config.LAZARET_TLS_DIR) : createOwnLeaf(names, authority, clock.now);
  const loop = createServingLoop(describeParts(world, core, { authority, source }));
  const ends = () => {
    const state = authority?.state() ?? null;
    return {
      serving: source.serving()?.endsAt ?? null,
      authority: state === null ? null : endOf(state.current.certificate),
      collector: loop.collectorEndsAt(),
    };
  };
  return { ...loop, source, ends };
}

function describeParts(
  { config, clock, log }: ControllerWorld,
  core: ControllerCore,
  { authority, source }: { readonly authority: AuthoritySource | null; readonly source: ServingSource },
): ServingParts {
  const { api, keys, evaluation, leader, metrics } = core;
  const { LAZARET_NAMESPACE: namespace, LAZARET_FULLNAME: fullname } = config;
  return {
    api,
    clock,
    keys,
    evaluation: { ...evaluation, step: () => (isEvaluation(core) ? evaluation.step() : Promise.resolve()) },
    serving: source,
    authority,
    collector: {
      namespace,
      name: `${fullname}-collector-tls`,
      names: collectorNames(fullname, namespace),
      owner: releaseOwner(api, namespace, fullname),
    },
    webhooks: fullname,
    isLeader: leader.isLeader,
    onFault: (part, code) => {
      metrics.servingFaults.inc({ part });
      log.warn({ part, code }, 'a step of the upkeep of keys and certificates failed; it is tried again');
    },
  };
}
