import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Evidence } from './evidence.ts';
import { NODE, ROOT } from './child.ts';
import type { Stage } from './stage.ts';
import { plainEnvironment, podArguments } from './stage.ts';

/**
 * Stays up: the same pod again, whose application goes on asking, until the caller ends it. Its lines are shown as they
 * come, and the places where the programs' log and the evidence can be watched are named.
 */
export async function serve(mode: Evidence['mode'], stage: Stage): Promise<void> {
  if (mode === 'proxy') throw new Error('--serve needs a pod, which this machine cannot make');
  process.stderr.write(
    `The pod stays up until Ctrl-C. Log: ${join(stage.dir, 'log')}  Evidence: ${join(stage.dir, 'store')}\n`,
  );
  const [node, ...flags] = NODE;
  const child = spawn(node, [...flags, join(ROOT, 'cli/pod/main.ts'), ...podArguments(stage, ['--forever'])], {
    env: plainEnvironment(),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const stop = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', stop).on('SIGTERM', stop);
  await once(child, 'close');
  process.off('SIGINT', stop).off('SIGTERM', stop);
}
