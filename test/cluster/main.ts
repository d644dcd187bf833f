// npm run cluster -- up [--control-plane] | down | load FILE...   [--slot N]
import { parseArgs } from 'node:util';
import { bringUp } from './bring-up.ts';
import { loadImage } from './load-image.ts';
import { withLock } from './lock.ts';
import { removeCluster } from './namespace.ts';
import type { ClusterPlace } from './place.ts';
import { clusterPlace } from './place.ts';

const USAGE = 'usage: npm run cluster -- up [--control-plane] | down | load FILE...   [--slot 0..7]';

interface Order {
  readonly verb: string | undefined;
  readonly files: readonly string[];
  readonly controlPlaneOnly: boolean;
  readonly place: ClusterPlace;
}

function readOrder(): Order {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'control-plane': { type: 'boolean', default: false }, slot: { type: 'string', default: '0' } },
  });
  const [verb, ...files] = positionals;
  return { verb, files, controlPlaneOnly: values['control-plane'], place: clusterPlace(Number(values.slot)) };
}

/** @returns whether the verb is known */
async function obey({ verb, files, controlPlaneOnly, place }: Order): Promise<boolean> {
  switch (verb) {
    case 'up':
      await bringUp(place, { controlPlaneOnly });
      process.stdout.write(`KUBECONFIG=${place.kubeconfig}\n`);
      return true;
    case 'down':
      await withLock(`slot-${place.slot}`, () => removeCluster(place));
      return true;
    case 'load':
      for (const file of files) await loadImage(place, file);
      return files.length > 0;
    case undefined:
    default:
      return false;
  }
}

function complain(error: unknown): void {
  process.stderr.write(`cluster: ${error instanceof Error ? error.message : String(error)}\n`);
}

try {
  const order = readOrder();
  try {
    if (!(await obey(order))) {
      complain(USAGE);
      process.exitCode = 2;
    }
  } catch (error) {
    complain(error);
    process.exitCode = 1;
  }
} catch (error) {
  complain(error);
  process.exitCode = 2;
}
