import { isReservedAudience, VOLUME } from '#contract/labels.ts';
import { fieldOf, type PodFacts } from '../pod-facts.ts';
import type { Hit, Rule } from '../rule.ts';

/** Becoming the sidecar: its uid, its gid, its key, its token. */
export const IDENTITY_RULES: readonly Rule[] = [
  {
    id: 'B-01',
    verdict: 'deny',
    exemptible: false,
    title: 'A process of the pod runs under the sidecar’s uid',
    why: 'this is the uid of the guard in this pod, which its packet rules let out.',
    instead: 'Choose another runAsUser, best outside 20000 to 59999.',
    check: (facts) => usersOf(facts, facts.identity?.uid),
  },
  {
    id: 'B-02',
    verdict: 'deny',
    exemptible: false,
    title: 'A process of the pod has the sidecar’s gid',
    why: 'this is the gid of the guard in this pod, which its packet rules let out together with the uid.',
    instead: 'Choose another group, best outside 20000 to 59999.',
    check: (facts) => groupsOf(facts, facts.identity?.gid),
  },
  {
    id: 'B-03',
    verdict: 'policy',
    exemptible: false,
    title: 'An image whose own user is the sidecar’s comes into a running pod',
    why: 'an image’s USER cannot be seen at admission, and one that comes later can be built for the uid and gid that were drawn for this pod.',
    instead:
      'Change the workload’s template and let it replace the pods, or write runAsUser or runAsGroup there, which no image can change.',
  },
  {
    id: 'B-13',
    verdict: 'change',
    exemptible: false,
    title: 'The key of the pod’s authority is read by another process',
    why: 'whoever has it can stand between the application and the guard.',
    instead:
      'Nothing has to be written: the key lives in a memory volume that only lazaret-init and lazaret-sidecar mount, and no Secret holds it.',
  },
  {
    id: 'B-14',
    verdict: 'change',
    exemptible: false,
    title: 'The application uses the sidecar’s token',
    why: 'it could enrol as the guard.',
    instead:
      'Nothing has to be written: the token has an audience of its own, expires, and is mounted in lazaret-sidecar only.',
  },
  {
    id: 'B-32',
    verdict: 'deny',
    exemptible: false,
    title: 'A projected token with our audience outside the sidecar',
    why: 'a token for the audience lazaret.dev is how a sidecar proves its pod; no other container may hold one.',
    instead: 'Remove this token source, or give it the audience of the service that it is for.',
    check: (facts) =>
      (facts.pod.spec?.volumes ?? []).flatMap((volume, i) =>
        volume.name === VOLUME.token
          ? []
          : (volume.projected?.sources ?? []).flatMap((source, j) =>
              isReservedAudience(source.serviceAccountToken?.audience ?? '')
                ? [{ field: fieldOf(facts, `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken.audience`) }]
                : [],
            ),
      ),
  },
];

function usersOf(facts: PodFacts, uid: number | undefined): readonly Hit[] {
  if (uid === undefined) return [];
  const security = facts.pod.spec?.securityContext;
  return [
    ...hit(security?.runAsUser === uid, fieldOf(facts, 'spec.securityContext.runAsUser')),
    ...hit(
      security?.windowsOptions?.runAsUserName === String(uid),
      fieldOf(facts, 'spec.securityContext.windowsOptions.runAsUserName'),
    ),
    ...facts.containers.flatMap(({ field, container: { securityContext } }) => [
      ...hit(securityContext?.runAsUser === uid, `${field}.securityContext.runAsUser`),
      ...hit(
        securityContext?.windowsOptions?.runAsUserName === String(uid),
        `${field}.securityContext.windowsOptions.runAsUserName`,
      ),
    ]),
  ];
}

function groupsOf(facts: PodFacts, gid: number | undefined): readonly Hit[] {
  if (gid === undefined) return [];
  const security = facts.pod.spec?.securityContext;
  return [
    ...hit(security?.runAsGroup === gid, fieldOf(facts, 'spec.securityContext.runAsGroup')),
    ...hit(security?.fsGroup === gid, fieldOf(facts, 'spec.securityContext.fsGroup')),
    ...(security?.supplementalGroups ?? []).flatMap((group, i) =>
      hit(group === gid, fieldOf(facts, `spec.securityContext.supplementalGroups[${i}]`)),
    ),
    ...facts.containers.flatMap(({ field, container }) =>
      hit(container.securityContext?.runAsGroup === gid, `${field}.securityContext.runAsGroup`),
    ),
  ];
}

function hit(broken: boolean, field: string): readonly Hit[] {
  return broken ? [{ field }] : [];
}
