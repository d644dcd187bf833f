import { basename } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

/** What the files of the test cluster prove, by the beginning of their names; the longest that fits counts. */
const PROVES: Readonly<Record<string, string>> = {
  alerts: 'the shipped alerts fire at their thresholds, not before, and clear',
  auditor: 'evidence leaves the cluster, and what was changed, cut, removed or put in is found without a network',
  'bypass-admin': 'a namespace’s administrator does not get around the guard, or docs/limits.md says how',
  'bypass-pod': 'an application does not get around the guard, or docs/limits.md says how',
  'chart-': 'the chart renders with both Helms, the same twice, and refuses values that mean nothing',
  clients: 'clients in seven languages that know nothing of a guard are guarded, plain and streamed',
  cluster: 'the test cluster is a Kubernetes: pods, services, DNS, webhooks, images, a world of its own',
  controller: 'the controller admits, denies, certifies itself and expects chains, on a real API server',
  doctor: 'the doctor says in one line what is broken and what to do',
  faults: 'after each fault the evidence says what happened, and nothing else',
  helm: 'install, upgrade, rollback and uninstall leave what they should and nothing else',
  image: 'the images hold the programs and nothing else, and start without any right',
  lifecycle: 'the cluster’s commands work, and an interrupted run leaves nothing behind',
  lists: 'a deployer’s own lists reach guarded pods and nobody else, change while they run, and refuse when damaged',
  operations: 'the commands of docs/operations.md do what the page says, from the first key to the uninstall',
  'pod-proof': 'a pod enrols under its own name only',
  pods: 'a pod of any shape ends guarded, denied with a rule, or is not ours',
  'policies-': 'the API server’s own policies say the same as the webhook',
  'policy.': 'policy and its end reach a pod by the request that it holds',
  product: 'README’s commands install the product, traffic is redacted and restored, faults end as promised',
  'second-webhook': 'whatever another webhook does to a pod, it ends guarded or denied',
  'serving-secrets':
    'certificates of one’s own are taken while everything runs, and keys of policy change under running pods',
  sre: 'Prometheus finds every program, alerts fire by their causes, the dashboard’s queries have data',
  upgrade: 'between two releases no pod is left unguarded, and after an outage everything comes back',
  workloads: 'workloads of every kind run guarded, and other traffic passes untouched',
};

/** @returns what a file proves; null where nothing is said of it */
export function proofOf(file: string): string | null {
  const name = basename(file);
  const fitting = Object.keys(PROVES).filter((start) => name.startsWith(start));
  const longest = fitting.toSorted((left, right) => right.length - left.length)[0];
  return longest === undefined ? null : (PROVES[longest] ?? null);
}

/** Says at the end of a run what it proved, one line for each file, and what it did not. */
export const proofReporter: Reporter = {
  onTestRunEnd(modules) {
    const lines = modules.map(lineOf).toSorted();
    process.stdout.write(`\nWhat this run proved, on a real cluster:\n${lines.join('\n')}\n`);
  },
};

function lineOf(module: TestModule): string {
  const tests = [...module.children.allTests()];
  const passed = tests.filter((test) => test.result().state === 'passed').length;
  const all = module.state() === 'passed' && passed === tests.length && passed > 0;
  const name = basename(module.moduleId).replace('.test.ts', '');
  return `  ${all ? 'yes' : 'NO '} ${name.padEnd(20)} ${`${passed} of ${tests.length}`.padStart(9)}  ${proofOf(module.moduleId) ?? ''}`;
}
