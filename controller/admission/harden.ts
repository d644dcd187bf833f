import type { Exemptions } from './exemption.ts';
import { withField } from './json.ts';
import type { Capabilities, Container, ContainerSecurity, PodSecurity } from './pod.ts';
import { BECOMING } from './rules/privilege-rules.ts';

/** Never exempt: both change what the packet rules see. */
const ALWAYS = ['NET_ADMIN', 'NET_RAW'] as const;

/** Nobody's group on Linux: outside the range from which the guard's is drawn. */
const DEBUG_GROUP = 65_534;

/** The capabilities that an application container must drop, in the order in which they are added. */
function requiredDrops(exemptions: Exemptions): readonly string[] {
  return exemptions.has('B-04') ? ALWAYS : [...ALWAYS, ...BECOMING];
}

/**
 * Takes from a container what could make it the guard's user or send around the packet rules: SETUID and its kin are in
 * every runtime's default set, and NET_RAW in most. Both halves are needed, the drop for a process that is root and
 * `allowPrivilegeEscalation: false` for one that has a setuid file.
 * @returns the container, the same object when it is hard already
 */
export function hardenContainer(container: Container, exemptions: Exemptions): Container {
  const before: ContainerSecurity = container.securityContext ?? {};
  const capabilities: Capabilities = before.capabilities ?? {};
  const missing = missingDrops(capabilities, exemptions);
  const dropped =
    missing.length === 0
      ? before
      : withField(before, 'capabilities', withField(capabilities, 'drop', [...(capabilities.drop ?? []), ...missing]));
  const escalating = exemptions.has('B-04') || dropped.allowPrivilegeEscalation === false;
  const after = escalating ? dropped : withField(dropped, 'allowPrivilegeEscalation', false);
  return after === before ? container : withField(container, 'securityContext', after);
}

/**
 * Whether an image cannot decide both the uid and the gid of a container: one of them is written. The guard is let out by both
 * together.
 */
export function hasOwner(container: Container, pod: PodSecurity | null | undefined): boolean {
  const own = container.securityContext;
  return [own?.runAsUser, own?.runAsGroup, pod?.runAsUser, pod?.runAsGroup].some((id) => typeof id === 'number');
}

/**
 * Gives a debug container a group where nothing names its owner: by then its author can know the numbers of the guard in the
 * pod, and build an image that runs under them.
 */
export function fixOwner(container: Container, pod: PodSecurity | null | undefined): Container {
  if (hasOwner(container, pod)) return container;
  const security = withField(container.securityContext ?? {}, 'runAsGroup', DEBUG_GROUP);
  return withField(container, 'securityContext', security);
}

/**
 * The drops that a container lacks. Only the spelling without `CAP_` in upper case counts: container runtimes put
 * `CAP_` before what they are given, and ignore what they then do not know.
 */
export function missingDrops(capabilities: Capabilities, exemptions: Exemptions): readonly string[] {
  const drop = capabilities.drop ?? [];
  return drop.includes('ALL') ? [] : requiredDrops(exemptions).filter((name) => !drop.includes(name));
}
