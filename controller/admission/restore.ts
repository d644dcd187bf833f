import { isJsonObject, isSameJson, type JsonObject } from './json.ts';
import type { Container, Mount } from './pod.ts';

// What the API server itself adds to every container after us. It is kept, so that the next call finds nothing to do;
// everything else in a container of ours is put back.

const ACCOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The container as it must be, with what the API server's own plugins added to it. */
export function restoreContainer(found: Container | undefined, wanted: Container): Container {
  if (found === undefined || isSameJson(found, wanted)) return found ?? wanted;
  const mounts = (found.volumeMounts ?? []).filter(isAccountMount).slice(0, 1);
  const restored: Container = {
    ...wanted,
    // The plugin AlwaysPullImages.
    ...(found.imagePullPolicy === 'Always' ? { imagePullPolicy: 'Always' } : {}),
    ...(mounts.length === 0 ? {} : { volumeMounts: [...(wanted.volumeMounts ?? []), ...mounts] }),
    // A default of API servers that know ProcMountType.
    ...(found.securityContext?.procMount === 'Default'
      ? { securityContext: { ...wanted.securityContext, procMount: 'Default' } }
      : {}),
    resources: restoreResources(found.resources, wanted.resources),
  };
  return isSameJson(found, restored) ? found : restored;
}

/** The plugin ServiceAccount mounts the pod's own token into every container. Ours do not read it. */
function isAccountMount(mount: Mount): boolean {
  const { name, mountPath, readOnly, ...rest } = mount;
  return (
    /^kube-api-access-[a-z0-9]{1,10}$/.test(name ?? '') &&
    mountPath === ACCOUNT_PATH &&
    readOnly === true &&
    Object.keys(rest).length === 0
  );
}

/** The plugin LimitRanger adds amounts of what we do not set, such as ephemeral storage. */
function restoreResources(found: unknown, wanted: unknown): unknown {
  if (!isJsonObject(found) || !isJsonObject(wanted)) return wanted;
  return Object.fromEntries(
    Object.entries(wanted).map(([kind, amounts]) => [
      kind,
      isJsonObject(amounts) ? { ...furtherAmounts(found[kind]), ...amounts } : amounts,
    ]),
  );
}

function furtherAmounts(found: unknown): JsonObject {
  if (!isJsonObject(found)) return {};
  return Object.fromEntries(
    Object.entries(found).filter(([name, amount]) => name === 'ephemeral-storage' && typeof amount === 'string'),
  );
}
