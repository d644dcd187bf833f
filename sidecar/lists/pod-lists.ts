import type { Listed } from '#phi/listed.ts';
import type { Bundle } from '../bundle/bundle.ts';
import type { BundleServer } from '../bundle/bundle-client.ts';
import type { SidecarConfig } from '../config.ts';
import type { Runtime } from '../ops/runtime.ts';
import { openLists } from './lists.ts';
import { openServedLists } from './served-lists.ts';

/** The deployer's lists of this pod. */
export interface PodLists {
  /**
   * @returns the lists to examine with, undefined where there are none
   * @throws DetectorError while there should be some and they cannot be used
   */
  readonly names: () => Listed | undefined;
  /** Whether policy names lists that were not had yet. */
  readonly waiting: () => boolean;
}

/** Lists that the signed policy names come from the controller; on one machine the settings may name files. */
export async function openPodLists(
  config: Pick<SidecarConfig, 'LAZARET_LISTS' | 'LAZARET_LISTS_KEY'>,
  { log }: Pick<Runtime, 'log'>,
  { bundle, server }: { readonly bundle: Pick<Bundle, 'payload' | 'onChange'>; readonly server: BundleServer | null },
): Promise<PodLists> {
  const files = await openLists({
    files: config.LAZARET_LISTS,
    keyFile: config.LAZARET_LISTS_KEY ?? null,
    onFault: (problem) => log.error({ problem }, 'lists not usable: everything is refused'),
  });
  const served = openServedLists({
    server,
    wanted: () => bundle.payload()?.policy.lists,
    onLoad: (entities) => log.info({ entities }, 'lists in force'),
    onFault: (problem) => log.error({ problem }, 'lists that policy names'),
  });
  bundle.onChange(() => served.consider());
  return { names: () => served.names() ?? files.names(), waiting: () => served.waiting() };
}
