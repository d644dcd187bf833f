import { createBundleMetrics } from './bundle/bundle-metrics.ts';
import { type BundleServer, createBundleServer } from './bundle/bundle-server.ts';
import type { ControllerCore, ControllerWorld } from './core.ts';
import { listenAnywhere } from './ops/listen.ts';
import { reportAdmission } from './ops/report.ts';
import { createTokenProver } from './prove-token.ts';
import type { ServingSource } from './serving/serving-source.ts';
import { createSettle } from './webhook-answer.ts';
import type { BaseSource } from './webhook-context.ts';
import { serveWebhook, type Webhook } from './webhook.ts';

/** Puts the webhook together: what it decides by, what it counts, what it logs. @throws when the address cannot be had */
export function openWebhook(
  world: ControllerWorld,
  { view, metrics }: ControllerCore,
  base: BaseSource,
): Promise<Webhook> {
  const { config, clock, log } = world;
  return serveWebhook(config.LAZARET_WEBHOOK_LISTEN, {
    view,
    base: base.base,
    settle: createSettle(view.until),
    adopted: base.adopted,
    now: clock.now,
    ready: () => view.synced() && base.base() !== null,
    onAnswer: (path, answered, seconds) => reportAdmission({ metrics, log }, path, answered, seconds),
    onRefusal: (status) => metrics.refusals.inc({ status }),
  });
}

/** Where sidecars fetch their policy. */
export interface BundleDoor {
  readonly port: number;
  readonly server: BundleServer;
  /** Keys or certificate are others. */
  readonly renew: () => void;
}

/** Puts the bundle server together. @throws when the address cannot be had */
export async function openBundles(
  { config, clock, log }: ControllerWorld,
  { api, view, metrics, policies, lists, keys }: ControllerCore,
  source: ServingSource,
): Promise<BundleDoor> {
  const listeners = new Set<() => void>();
  const listen = (listener: () => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const server = createBundleServer({
    view,
    policies,
    prove: createTokenProver(api.ask),
    keys: () => (view.synced() ? (keys.keys()?.signing ?? null) : null),
    onKeys: listen,
    lists,
    certificate: {
      current: () => ({ cert: source.serving()?.chain ?? '', key: source.serving()?.key ?? '' }),
      onChange: listen,
    },
    metrics: createBundleMetrics(metrics.registry),
    log,
    now: clock.now,
  });
  const port = await listenAnywhere(config.LAZARET_BUNDLE_LISTEN, (place) => server.listen(place));
  return { port, server, renew: () => listeners.forEach((listener) => listener()) };
}
