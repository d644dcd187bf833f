// What the tests of docs/operations.md look at, and what they break.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OperationsStage } from './operations-stage.ts';
import { listRecords, verifyEvidence } from './product-evidence.ts';
import { kubectl } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const RELEASE = '--namespace=lazaret';

/** The uids of a component's pods. */
export function podsOf(component: string): Promise<string> {
  const selector = `--selector=app.kubernetes.io/component=${component}`;
  return kubectl(['get', 'pods', RELEASE, selector, '--output=jsonpath={.items[*].metadata.uid}']);
}

/** A field of a Secret of the release, decoded. */
export async function secretOf(name: string, field: string): Promise<string> {
  const path = `jsonpath={.data.${field.replaceAll('.', '\\.')}}`;
  return Buffer.from(await kubectl(['get', 'secret', name, RELEASE, `--output=${path}`]), 'base64').toString('utf8');
}

/** Waits until the collector holds the outcome of an exchange. */
export function delivered({ product }: OperationsStage, id: string): Promise<true> {
  return waitFor(
    `the evidence of ${id}`,
    async () => {
      const records = await listRecords(product);
      return records.some((record) => record['id'] === id && record['stage'] === 'response') ? true : null;
    },
    120,
  );
}

/** Findings of the store as it is now, without notices. */
export async function findings({ product }: OperationsStage): Promise<readonly unknown[]> {
  const { findings: all } = await verifyEvidence(product);
  return all.filter(({ level }) => level === 'finding').map(({ finding }) => finding);
}

/** The volume is empty as a new one is. */
export async function loseVolume({ product }: OperationsStage): Promise<void> {
  await kubectl(['scale', 'statefulset/lazaret-collector', RELEASE, '--replicas=0']);
  await kubectl(['wait', 'pod/lazaret-collector-0', RELEASE, '--for=delete', '--timeout=120s']);
  for (const part of [product.store, join(product.store, '../keys')])
    for (const name of await readdir(part)) await rm(join(part, name), { recursive: true });
}

/** As where a namespace was deleted: a controller that runs would put back what it remembers. */
export async function loseKeys(): Promise<void> {
  await kubectl(['scale', 'deployment/lazaret-controller', RELEASE, '--replicas=0']);
  const selector = '--selector=app.kubernetes.io/component=controller';
  await kubectl(['wait', 'pod', RELEASE, selector, '--for=delete', '--timeout=120s']);
  await kubectl(['delete', 'secret', 'lazaret-keys', 'lazaret-authority', RELEASE]);
}

/** Objects of the cluster that still carry the release's name. */
export async function leftOf(): Promise<readonly string[]> {
  const kinds = [
    'namespaces',
    'customresourcedefinitions',
    'clusterroles',
    'clusterrolebindings',
    'mutatingwebhookconfigurations',
    'validatingwebhookconfigurations',
    'validatingadmissionpolicies',
    'validatingadmissionpolicybindings',
  ];
  const names = await kubectl(['get', kinds.join(','), '--output=name']);
  return names.split('\n').filter((name) => name.includes('lazaret') && !name.includes('lazaret-test'));
}
