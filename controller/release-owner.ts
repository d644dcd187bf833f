import type { KubeApi } from './cluster/api.ts';
import { metaOf, textOf } from './cluster/resource-store.ts';
import type { RawObject } from './ports.ts';

/**
 * The ownerReference that lets an uninstall collect what the controller makes at run time and nobody needs afterwards.
 * @returns null when the Deployment cannot be read: then the object stays behind
 */
export function releaseOwner(api: KubeApi, namespace: string, fullname: string): () => Promise<RawObject | null> {
  const name = `${fullname}-controller`;
  return async () => {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
    const deployment = await api.call({ method: 'GET', path }).catch(() => null);
    const uid = deployment === null ? '' : textOf(metaOf(deployment), 'uid');
    return uid === '' ? null : { apiVersion: 'apps/v1', kind: 'Deployment', name, uid };
  };
}
