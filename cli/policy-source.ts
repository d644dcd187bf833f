import { compilePolicy } from '#contract/policy-compile.ts';
import type { Workload } from '#contract/policy-compile.ts';
import type { Policy } from '#contract/policy.ts';
import type { PolicySource } from '#contract/policy-source.ts';
import { describeFault } from '#contract/policy-source.ts';
import { readSource } from '#contract/policy-text.ts';
import type { Arguments } from './arguments.ts';
import type { CommandIo } from './io.ts';
import { UsageError } from './io.ts';

/** The namespace for a source that names none, as in the chart's examples. */
const DEFAULT_NAMESPACE = 'phi';

/** Reads a file that the command line names. @throws UsageError when it cannot be read */
export async function readNamed(io: Pick<CommandIo, 'readFile'>, path: string): Promise<string> {
  return io.readFile(path).catch(() => {
    throw new UsageError(`${path} cannot be read: name a file that exists and that you may read`);
  });
}

/**
 * Reads a bundle source.
 * @throws UsageError with one line for each fault
 */
export async function readPolicySource(io: Pick<CommandIo, 'readFile'>, path: string): Promise<PolicySource> {
  const result = readSource(await readNamed(io, path));
  if (result.ok) return result.source;
  throw new UsageError(result.faults.map((fault) => `${path}: ${describeFault(fault)}`).join('\n'));
}

/**
 * Compiles a source for the workload that `--namespace` and `--label KEY=VALUE` describe. Without them the source must leave no
 * doubt: leaving out an EgressPolicy by an oversight would widen.
 * @throws UsageError that says which option is needed
 */
export function compileFor(source: PolicySource, given: Arguments): Policy {
  return compilePolicy(source, workloadOf(source, given));
}

function workloadOf(source: PolicySource, given: Arguments): Workload {
  const named = [...new Set(source.egress.map((document) => document.metadata.namespace))];
  const namespace =
    given.value('namespace') ?? named[0] ?? source.exemptions[0]?.spec.namespaces[0] ?? DEFAULT_NAMESPACE;
  if (given.value('namespace') === undefined && named.length > 1)
    throw new UsageError(`the source has EgressPolicies for ${named.length} namespaces: choose one with --namespace`);
  const labels = Object.fromEntries(given.values('label').map(parsePair));
  const selective = source.egress.some(
    (document) =>
      document.metadata.namespace === namespace && Object.keys(document.spec.podSelector.matchLabels).length > 0,
  );
  if (selective && given.values('label').length === 0)
    throw new UsageError('an EgressPolicy selects pods by label: give the pod’s labels with --label KEY=VALUE');
  return { namespace, labels };
}

/** `KEY=VALUE` as of `--label` and `--header`. */
export function parsePair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError('--label and --header take KEY=VALUE');
  return [text.slice(0, at), text.slice(at + 1)];
}
