import { FILES_VARIABLE } from '#contract/pod-shape.ts';
import { initContainer } from './guard-containers.ts';
import type { AdmissionSettings } from './settings.ts';

/** No namespace starts like this, so these keys never meet an exemption's (`NAMESPACE.RULE`). */
const OWN_KEY = '_';

const PARAMETER_NAMES = ['files', 'resolvers', 'init-image', 'sidecar-image'] as const;

/**
 * What only run time knows of a guarded pod, for the ConfigMap that the ValidatingAdmissionPolicies take as their parameters.
 * Without it they could not tell the release's keys from those that the author of a pod brings himself.
 * @param settings as pods are guarded now
 * @param former the ConfigMap's data as it is: values that changed stay accepted as the previous ones, so that pods of a
 *   replica that is still behind, or of the release before an upgrade, are not refused
 * @returns the keys that the ConfigMap must hold beside the exemptions
 */
export function policyParameters(
  settings: AdmissionSettings,
  former: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const now = currentValues(settings);
  return Object.fromEntries(
    PARAMETER_NAMES.flatMap((name) => {
      const [current, previous] = [`${OWN_KEY}${name}.current`, `${OWN_KEY}${name}.previous`];
      const before = former[current];
      const kept = before !== undefined && before !== now[name] ? before : former[previous];
      return [[current, now[name]], ...(kept === undefined ? [] : [[previous, kept]])];
    }),
  );
}

/** Whether the policies, with these parameters, accept pods that are guarded by the settings. @param data as the object has it */
export function acceptsSettings(data: Readonly<Record<string, string>>, settings: AdmissionSettings): boolean {
  const wanted = currentValues(settings);
  return PARAMETER_NAMES.every((name) =>
    ['current', 'previous'].some((age) => data[`${OWN_KEY}${name}.${age}`] === wanted[name]),
  );
}

/** Whether pods of both settings are the same to the policies. */
export function sharesParameters(one: AdmissionSettings, other: AdmissionSettings): boolean {
  const [left, right] = [currentValues(one), currentValues(other)];
  return PARAMETER_NAMES.every((name) => left[name] === right[name]);
}

function currentValues(settings: AdmissionSettings): Readonly<Record<(typeof PARAMETER_NAMES)[number], string>> {
  const { resources, logLevel } = settings.values.sidecar;
  const nobody = { uid: 0, gid: 0, chain: '' };
  // As the container has them: Kubernetes' own notation of `$` is part of the value.
  const { env } = initContainer({ settings, identity: nobody, options: { resources, logLevel } });
  const valueOf = (variable: string) => env?.find(({ name }) => name === variable)?.value ?? '';
  return {
    files: valueOf(FILES_VARIABLE),
    resolvers: valueOf('LAZARET_RESOLVERS'),
    'init-image': settings.initImage,
    'sidecar-image': settings.sidecarImage,
  };
}
