// npm run cluster -- up [--control-plane] | down | load FILE...   [--slot N]
import { parseArgs } from 'node:util';
import { loadImage } from './load-image.ts';
import { withLock } from './lock.ts';
import { removeCluster } from './namespace.ts';
import { clusterPlace } from './place.ts';
import { startNode } from './start-node.ts';
import { startControlPlane } from './start-cluster.ts';

const USAGE = 'usage: npm run cluster -- up [--control-plane] | down | load FILE...   [--slot 0..7]';

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'control-plane': { type: 'boolean', default: false }, slot: { type: 'string', default: '0' } },
  });
  const place = clusterPlace(Number(values.slot));
  const say = (line: string): void => void process.stderr.write(`cluster: ${line}\n`);
  const [verb, ...files] = positionals;
  switch (verb) {
    case 'up':
      await withLock(`slot-${place.slot}`, async () => {
        await startControlPlane(place, say);
        if (!values['control-plane']) await startNode(place, say);
      });
      process.stdout.write(`KUBECONFIG=${place.kubeconfig}\n`);
      return 0;
    case 'down':
      await withLock(`slot-${place.slot}`, () => removeCluster(place));
      return 0;
    case 'load':
      for (const file of files) await loadImage(place, file);
      return 0;
    case undefined:
    default:
      process.stderr.write(`cluster: ${USAGE}\n`);
      return 2;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`cluster: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
