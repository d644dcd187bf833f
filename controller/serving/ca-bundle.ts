import { isStatus, type KubeApi } from '../cluster/api.ts';
import { fieldOf, listOf, metaOf, textOf } from '../cluster/resource-store.ts';
import { nullIfMissing } from '../leader.ts';
import type { RawObject } from '../ports.ts';

const CONFIGURATIONS = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'] as const;

/** The release's webhook configurations as the API server has them now. */
export interface WebhookObjects {
  /** The caBundle of each webhook, PEM; empty where it has none. */
  readonly bundles: readonly string[];
  /** How many of the two configurations are missing. */
  readonly missing: number;
}

/** @param name of both configurations. @throws ApiError when the API server does not answer */
export async function readWebhooks(api: KubeApi, name: string): Promise<WebhookObjects> {
  const found = await Promise.all(CONFIGURATIONS.map((kind) => readOne(api, kind, name)));
  const present = found.filter((object) => object !== null);
  const bundles = present.flatMap((object) => listOf(object, 'webhooks').map(bundleOf));
  return { bundles, missing: found.length - present.length };
}

/**
 * Writes a trust bundle into every webhook of both configurations that has another one, and into nothing else: each is
 * named in the patch, and a configuration that changed meanwhile is left for the next time.
 * @returns how many webhooks were written
 * @throws ApiError when the API server does not answer
 */
export async function writeBundles(api: KubeApi, name: string, bundle: string): Promise<number> {
  let written = 0;
  for (const kind of CONFIGURATIONS) {
    const object = await readOne(api, kind, name);
    const wrong =
      object === null
        ? []
        : listOf(object, 'webhooks').flatMap((hook, i) => (bundleOf(hook) === bundle ? [] : [{ hook, i }]));
    if (object === null || wrong.length === 0) continue;
    const body = [
      { op: 'test', path: '/metadata/resourceVersion', value: textOf(metaOf(object), 'resourceVersion') },
      ...wrong.flatMap(({ hook, i }) => [
        { op: 'test', path: `/webhooks/${i}/name`, value: textOf(hook, 'name') },
        { op: 'add', path: `/webhooks/${i}/clientConfig/caBundle`, value: Buffer.from(bundle).toString('base64') },
      ]),
    ];
    const call = { method: 'PATCH', path: pathOf(kind, name), body, type: 'application/json-patch+json' } as const;
    const answer = await api.call(call).catch((fault: unknown) => {
      if (isStatus(fault, 409) || isStatus(fault, 422)) return null;
      throw fault;
    });
    if (answer !== null) written += wrong.length;
  }
  return written;
}

function readOne(api: KubeApi, kind: string, name: string): Promise<RawObject | null> {
  return api.call({ method: 'GET', path: pathOf(kind, name) }).catch(nullIfMissing);
}

function pathOf(kind: string, name: string): string {
  return `/apis/admissionregistration.k8s.io/v1/${kind}/${name}`;
}

function bundleOf(hook: RawObject): string {
  return Buffer.from(textOf(fieldOf(hook, 'clientConfig'), 'caBundle'), 'base64').toString('utf8');
}
