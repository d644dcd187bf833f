import { join } from 'node:path';
import { writeAuthority } from './authority.ts';
import { buildPart } from './build.ts';
import { installClients } from './clients.ts';
import { controlPlaneParts } from './control-plane.ts';
import { installPackages } from './debian.ts';
import { findCluster, makeNamespaces, removeCluster, startParts } from './namespace.ts';
import type { ClusterPlace } from './place.ts';
import { CLIENTS } from './place.ts';
import { runCommand, tryCommand } from './run-command.ts';
import { waitFor } from './wait-for.ts';

type Say = (line: string) => void;

const CONTROL_PLANE = ['kube-apiserver', 'kube-controller-manager'];

/**
 * Starts etcd, API server and controllers where they do not run yet; a cluster that does not answer is made anew.
 * @returns the process id of the cluster's first process
 */
export async function startControlPlane(place: ClusterPlace, say: Say): Promise<number> {
  if (process.getuid?.() !== 0) throw new Error('the test cluster needs root, to make network namespaces');
  await installPackages(say);
  await installClients(say);
  const folder = await buildPart('kubernetes', say, CONTROL_PLANE);
  const running = findCluster(place);
  if (running !== null && (await isReady(place))) {
    await startParts(place, controlPlaneParts(place, folder));
    return running;
  }
  await removeCluster(place);
  say('starting the control plane');
  const pid = await makeNamespaces(place);
  await writeAuthority(place);
  await startParts(place, controlPlaneParts(place, folder));
  await waitFor('the API server', async () => ((await isReady(place)) ? true : null), 120);
  await waitFor('the default service account', async () => {
    const account = ['get', 'serviceaccount', 'default', '--namespace=default'];
    return (await tryCommand([...kubectlWords(place), ...account])).status === 0 ? true : null;
  });
  return pid;
}

/** The words of kubectl as the administrator. */
export function kubectlWords(place: ClusterPlace): readonly string[] {
  return [join(CLIENTS, 'kubectl'), `--kubeconfig=${place.kubeconfig}`];
}

/** Applies objects. */
export async function applyObjects(place: ClusterPlace, yaml: string): Promise<void> {
  await runCommand([...kubectlWords(place), 'apply', '--server-side', '--filename=-'], { input: yaml });
}

async function isReady(place: ClusterPlace): Promise<boolean> {
  const { status } = await tryCommand([...kubectlWords(place), 'get', '--raw=/readyz', '--request-timeout=2s']);
  return status === 0;
}
