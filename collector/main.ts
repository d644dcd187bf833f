import { readFile } from 'node:fs/promises';
import { pino } from 'pino';
import { logShape } from '#contract/log-shape.ts';
import { startCollector } from './collector.ts';
import { parseConfig } from './config.ts';

const parsed = parseConfig(process.env);
if (!parsed.ok) {
  process.stderr.write(`lazaret-collector cannot start:\n${parsed.faults.map((fault) => `  ${fault}\n`).join('')}`);
  process.exit(2);
}

const log = pino({
  level: parsed.config.LAZARET_LOG_LEVEL,
  timestamp: pino.stdTimeFunctions.isoTime,
  ...logShape('lazaret-collector'),
});
try {
  const collector = await startCollector(parsed.config, log, await readVersion());
  let closing = false;
  const close = (): void => {
    if (closing) return;
    closing = true;
    collector.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
} catch (error) {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
  const why = error instanceof TypeError ? error.message : `a file or an address that it needs is not to be had${code}`;
  process.stderr.write(`lazaret-collector cannot start: ${why}\n`);
  process.exit(2);
}

/** The package's version stands beside the program, in a checkout and in an image alike. */
async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8').catch(() => '{"version":"unknown"}');
  const { version } = JSON.parse(text) as { readonly version: string };
  return version;
}
