import type { SidecarConfig } from './config.ts';
import { type ForeignSocketWatch, watchForeignSockets } from './ops/foreign-sockets.ts';
import type { Runtime } from './ops/runtime.ts';

/**
 * Watches for strangers under our uid, and says so when there are any. Only where the packet rules make the uid the way out:
 * elsewhere others may share it.
 */
export function watchStrangers(config: SidecarConfig, { log, metrics }: Runtime): ForeignSocketWatch {
  const uid = process.getuid?.();
  if (config.LAZARET_PROXY_MODE || uid === undefined) return { count: () => 0, onChange: () => undefined };
  const watch = watchForeignSockets({ uid });
  const report = (count: number): void => {
    metrics.foreignSockets.set(count);
    if (count > 0) log.error({ count }, 'a stranger holds sockets under the sidecar uid: everything is refused');
    else log.warn({ count }, 'no stranger holds sockets under the sidecar uid any more');
  };
  if (watch.count() > 0) report(watch.count());
  watch.onChange(report);
  return watch;
}
