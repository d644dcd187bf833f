import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ClusterPlace } from './place.ts';
import { applyYaml, kubectl } from './test-cluster.ts';

const CLASS = 'lazaret-test';
const VOLUME = 'lazaret-test-evidence';

/** Where the evidence volume lies on this machine. */
export function volumeFolder(place: ClusterPlace): string {
  return join(place.state, 'product/volume');
}

/**
 * What a cluster of a provider has and this one lacks: a default StorageClass, and one volume of it. A local volume, because a host path
 * does not honour `fsGroup`.
 */
export async function makeVolume(place: ClusterPlace): Promise<void> {
  const path = volumeFolder(place);
  await mkdir(path, { recursive: true });
  const storageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: CLASS, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'kubernetes.io/no-provisioner',
  };
  const onLinux = { matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }] };
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: VOLUME },
    spec: {
      capacity: { storage: '50Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: CLASS,
      persistentVolumeReclaimPolicy: 'Retain',
      local: { path },
      nodeAffinity: { required: { nodeSelectorTerms: [onLinux] } },
    },
  };
  await applyYaml([storageClass, volume].map((object) => stringify(object)).join('---\n'));
}

/** Removes the volume with what was written on it. Its claim must be gone. */
export async function removeVolume(place: ClusterPlace): Promise<void> {
  await kubectl(['delete', 'persistentvolume', VOLUME, '--ignore-not-found', '--timeout=60s']);
  await kubectl(['delete', 'storageclass', CLASS, '--ignore-not-found']);
  await rm(volumeFolder(place), { recursive: true, force: true, maxRetries: 5 });
}
