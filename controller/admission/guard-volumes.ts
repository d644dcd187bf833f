import { TOKEN_AUDIENCE, VOLUME } from '#contract/labels.ts';
import { TOKEN_FILE, VOLUME_SIZE } from '#contract/pod-shape.ts';
import type { Volume } from './pod.ts';
import type { AdmissionSettings } from './settings.ts';

const TOKEN_SECONDS = 3_600;
const READABLE = 0o444;

/**
 * Our volumes. Keys and trust files live in memory and die with the pod; the spool is on disk, because evidence must
 * survive a killed process. Every field that the API server would fill in is written.
 */
export function guardVolumes({ values }: AdmissionSettings): readonly Volume[] {
  const roots = values.admission.extraRootsConfigMap;
  return [
    memory(VOLUME.trust, VOLUME_SIZE.trust),
    memory(VOLUME.authority, VOLUME_SIZE.authority),
    memory(VOLUME.settings, VOLUME_SIZE.settings),
    { name: VOLUME.spool, emptyDir: { sizeLimit: VOLUME_SIZE.spool } },
    {
      name: VOLUME.token,
      projected: {
        defaultMode: READABLE,
        sources: [
          {
            serviceAccountToken: {
              audience: TOKEN_AUDIENCE,
              expirationSeconds: TOKEN_SECONDS,
              path: TOKEN_FILE.slice(TOKEN_FILE.lastIndexOf('/') + 1),
            },
          },
        ],
      },
    },
    ...(roots === null
      ? []
      : [
          {
            name: VOLUME.extraRoots,
            configMap: { name: roots.name, defaultMode: READABLE, items: [{ key: roots.key, path: roots.key }] },
          },
        ]),
  ];
}

function memory(name: string, sizeLimit: string): Volume {
  return { name, emptyDir: { medium: 'Memory', sizeLimit } };
}
