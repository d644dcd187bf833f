import type { ControllerCore, ControllerWorld } from '../controller.ts';
import { releaseOwner } from '../release-owner.ts';
import { createAuthoritySource } from './authority-secret.ts';
import { endOf } from './chain-check.ts';
import { collectorNames, controllerNames } from './names.ts';
import { createServingLoop, type ServingState } from './serving-loop.ts';
import { createFileLeaf, createOwnLeaf, type ServingSource } from './serving-source.ts';

/** The upkeep of keys and certificates, put together from the settings. */
export interface ServingUpkeep {
  readonly source: ServingSource;
  readonly loop: ServingState;
  /** Ends of certificates, ms; null for one that is not known here. */
  readonly ends: () => Readonly<Record<'serving' | 'authority' | 'collector', number | null>>;
}

/** @param onChange keys, certificate or trust are others than before */
export function startServing(
  { config, clock, log }: ControllerWorld,
  { api, keys, leader, metrics }: ControllerCore,
  onChange: () => void,
): ServingUpkeep {
  const { LAZARET_NAMESPACE: namespace, LAZARET_FULLNAME: fullname } = config;
  const terms = { namespace, name: `${fullname}-authority`, isLeader: leader.isLeader, now: clock.now };
  const authority = config.LAZARET_CERTS === 'files' ? null : createAuthoritySource(terms, api);
  const names = controllerNames(fullname, namespace, config.LAZARET_SERVING_NAMES);
  const source =
    authority === null ? createFileLeaf(config.LAZARET_TLS_DIR) : createOwnLeaf(names, authority, clock.now);
  const loop = createServingLoop({
    api,
    clock,
    keys,
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
    onChange,
    onFault: (part, code) => {
      metrics.servingFaults.inc({ part });
      log.warn({ part, code }, 'a step of the upkeep of keys and certificates failed; it is tried again');
    },
  });
  const ends = () => {
    const state = authority?.state() ?? null;
    return {
      serving: source.serving()?.endsAt ?? null,
      authority: state === null ? null : endOf(state.current.certificate),
      collector: loop.collectorEndsAt(),
    };
  };
  return { source, loop, ends };
}
