import { expect } from 'vitest';
import { sharesInstallation } from './file-order.ts';
import { clearProduct } from './install.ts';
import { tryKubectl } from './test-cluster.ts';

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
