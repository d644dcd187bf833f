// `npm run demo`: the whole path on one machine, every claim a check.
import { parseArgs } from 'node:util';
import { missingPrerequisites, toolPath } from '../pod/prerequisites.ts';
import type { Check } from './checks.ts';
import { judge, POD_ONLY } from './checks.ts';
import { readEvidence } from './evidence.ts';
import { renderRun } from './print.ts';
import { runThroughProxy } from './proxy-stage.ts';
import { serve } from './serve.ts';
import { openStage, runInPod } from './stage.ts';

const FAILED = 1;
const WRONG_USAGE = 2;

async function demonstrate(asJson: boolean, stays: boolean): Promise<number> {
  const missing = missingPrerequisites(toolPath(process.env.PATH));
  const mode = missing.length === 0 ? 'pod' : 'proxy';
  if (mode === 'proxy') explainProxy(missing);
  const stage = await openStage();
  try {
    const run = await (mode === 'pod' ? runInPod(stage) : runThroughProxy(stage));
    if (run.code !== 0) process.stderr.write(run.stderr);
    const evidence = await readEvidence(mode, stage, run.stdout);
    const checks = judge(evidence);
    process.stdout.write(asJson ? `${JSON.stringify({ checks })}\n` : renderRun(evidence, checks));
    if (stays) await serve(mode, stage);
    return run.code === 0 && checks.every(({ ok }: Check) => ok) ? 0 : FAILED;
  } finally {
    await stage.close();
  }
}

/** Says what this machine lacks, and what cannot be shown without it. */
function explainProxy(missing: readonly string[]): void {
  const lines = [
    'This machine cannot make a guarded pod:',
    ...missing.map((sentence) => `  - ${sentence}`),
    'The same exchanges run through the sidecar as an explicit proxy instead. Not shown:',
    ...POD_ONLY.map((sentence) => `  - ${sentence}`),
  ];
  process.stderr.write(`${lines.join('\n')}\n\n`);
}

try {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, serve: { type: 'boolean', default: false } },
  });
  process.exitCode = await demonstrate(values.json, values.serve);
} catch (error) {
  process.stderr.write(`lazaret demo: ${error instanceof Error ? error.message : 'failed'}\n`);
  process.exitCode = error instanceof TypeError ? WRONG_USAGE : FAILED;
}
