import { podEnvironment } from '#contract/pod-environment.ts';
import { POD_PATH, trustPaths } from '#contract/pod-paths.ts';
import { isListVariable } from '../trust-environment.ts';
import type { Rule } from '../rule.ts';

const OUR_LISTS: readonly string[] = podEnvironment(trustPaths(POD_PATH.trust))
  .map(({ name }) => name)
  .filter(isListVariable);

/** Variables that decide which certificates a client trusts. */
export const ENVIRONMENT_RULES: readonly Rule[] = [
  {
    id: 'B-24',
    verdict: 'change',
    exemptible: false,
    title: 'Trust variables that the application sets itself',
    why: 'this variable is a list to which the guard adds its own entry, and a value from elsewhere cannot be read at admission.',
    instead:
      'Write its value as text. Other trust variables are replaced by the guard’s, with a warning: put the roots that they named into the chart’s admission.extraRootsConfigMap.',
    check: (facts) =>
      facts.containers.flatMap(({ field, container }) =>
        (container.env ?? []).flatMap((variable, i) =>
          OUR_LISTS.includes(variable.name ?? '') && variable.valueFrom !== null && variable.valueFrom !== undefined
            ? [{ field: `${field}.env[${i}].valueFrom` }]
            : [],
        ),
      ),
  },
];
