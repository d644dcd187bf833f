import { VOLUME } from '#contract/labels.ts';
import { POD_PATH, trustPaths } from '#contract/pod-paths.ts';
import type { Mount } from './pod.ts';

const BUNDLE_NAME = trustPaths('').allRoots.slice(1);

/**
 * The mounts by which an application container sees the public trust files.
 * @param overlayPaths files of the image that are covered by all roots; those that the container covers itself are left out
 */
export function trustMounts(overlayPaths: readonly string[]): readonly Mount[] {
  return [
    { name: VOLUME.trust, mountPath: POD_PATH.trust, readOnly: true },
    ...overlayPaths.map((mountPath) => ({ name: VOLUME.trust, mountPath, subPath: BUNDLE_NAME, readOnly: true })),
  ];
}

/**
 * Whether a mount has a form that only we write: the trust directory at its place, or one file of it, read-only. It gives
 * away nothing that every application container has not got already.
 */
export function isOurMount(mount: Mount): boolean {
  if (mount.name !== VOLUME.trust || mount.readOnly !== true || isText(mount.subPathExpr)) return false;
  return isText(mount.subPath) ? mount.subPath === BUNDLE_NAME : mount.mountPath === POD_PATH.trust;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
