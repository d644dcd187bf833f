import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeBaseImage } from './base-image.ts';
import { buildPart, buildPause } from './build.ts';
import { installHelm3 } from './clients.ts';
import { DNS_IMAGE, dnsObjects, setHosts } from './cluster-dns.ts';
import { exists, programImage } from './image-archive.ts';
import { loadImage } from './load-image.ts';
import { startParts } from './namespace.ts';
import { PAUSE_IMAGE, prepareNode } from './node.ts';
import type { ClusterPlace } from './place.ts';
import { NODE_NAME } from './place.ts';
import { runCommand } from './run-command.ts';
import { applyObjects, kubectlWords } from './start-cluster.ts';
import { waitFor } from './wait-for.ts';

/** Adds a node with cluster DNS to a running control plane; what runs already is left alone. */
export async function startNode(place: ClusterPlace, say: (line: string) => void): Promise<void> {
  const kubernetes = await buildPart('kubernetes', say);
  const containerd = await buildPart('containerd', say);
  const coredns = join(await buildPart('coredns', say), 'coredns');
  await installHelm3(say);
  const base = await makeBaseImage(say);
  const hasImages = join(place.state, 'node-has-images');
  if (!(await exists(hasImages))) say('starting the node');
  await startParts(place, await prepareNode(place, { kubernetes, containerd }));
  if (!(await exists(hasImages))) {
    await putImages(place, coredns, base);
    await writeFile(hasImages, '');
  }
  await waitForNode(place);
}

/** What every pod needs, cluster DNS, and what tests run on. */
async function putImages(place: ClusterPlace, coredns: string, base: string): Promise<void> {
  const pause = await programImage(await buildPause(), 'pause', PAUSE_IMAGE);
  const dns = await programImage(coredns, 'coredns', DNS_IMAGE);
  await setHosts(place, {});
  await waitFor('containerd', async () => {
    await loadImage(place, pause);
    return true;
  });
  await Promise.all([loadImage(place, dns), loadImage(place, base), applyObjects(place, dnsObjects(place))]);
}

async function waitForNode(place: ClusterPlace): Promise<void> {
  const words = kubectlWords(place);
  await waitFor('the node', async () => {
    await runCommand([...words, 'wait', `node/${NODE_NAME}`, '--for=condition=Ready', '--timeout=1s']);
    return true;
  });
  const rollout = ['rollout', 'status', 'deployment/coredns', '--namespace=kube-system', '--timeout=120s'];
  await runCommand([...words, ...rollout]);
}
