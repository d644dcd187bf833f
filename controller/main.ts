import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from './cluster/backoff.ts';
import { kubeconfigCredentials, podCredentials } from './cluster/credentials.ts';
import { parseConfig } from './config.ts';
import { startController } from './controller.ts';
import { createLog } from './ops/log.ts';

const parsed = parseConfig(process.env);
if (!parsed.ok) fail(parsed.faults);

const { config } = parsed;
const log = createLog(config.LAZARET_LOG_LEVEL);
try {
  const { kubeconfig } = config;
  const credentials =
    kubeconfig === undefined ? podCredentials(process.env, Date.now) : kubeconfigCredentials(kubeconfig, Date.now);
  const version = await readVersion();
  const clock = { now: Date.now, sleep };
  const controller = await startController({ config, credentials, clock, random: Math.random, log, version });
  log.info({ version, ops: controller.opsPort }, 'the controller runs');
  let closing = false;
  const close = (): void => {
    if (closing) return;
    closing = true;
    controller.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
} catch (fault) {
  const code = fault instanceof Error && 'code' in fault && typeof fault.code === 'string' ? ` (${fault.code})` : '';
  fail([fault instanceof TypeError ? fault.message : `a file or an address that it needs is not to be had${code}`]);
}

/** The package's version: the file lies one folder above the program, in the checkout and in the image. */
async function readVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  return version;
}

function fail(faults: readonly string[]): never {
  process.stderr.write(`lazaret-controller cannot start:\n${faults.map((fault) => `  ${fault}\n`).join('')}`);
  process.exit(2);
}
