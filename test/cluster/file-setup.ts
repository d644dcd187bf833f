import { expect } from 'vitest';
import { bringUp } from './bring-up.ts';
import { sharesInstallation } from './file-order.ts';
import { clearProduct } from './install.ts';
import { findCluster } from './namespace.ts';
import { PLACE, tryKubectl } from './test-cluster.ts';

// The first file of a second worker.
if (findCluster(PLACE) === null) await bringUp(PLACE);

// An installation that an earlier run left for its files would decide over the pods of the others.
const file = expect.getState().testPath ?? '';
if (!sharesInstallation(file)) {
  const { stdout } = await tryKubectl(['get', 'namespace', 'lazaret', '--ignore-not-found', '--output=name']);
  const { stdout: hooks } = await tryKubectl([
    'get',
    'mutatingwebhookconfiguration',
    'lazaret',
    '--ignore-not-found',
    '--output=name',
  ]);
  if (`${stdout}${hooks}` !== '') await clearProduct();
}
