import type { Rule } from '../rule.ts';

/** What no review of a pod's creation can show: the ValidatingAdmissionPolicy denies it, or the controller reports it. */
export const POLICY_RULES: readonly Rule[] = [
  {
    id: 'B-10',
    verdict: 'policy',
    exemptible: false,
    title: 'The PHI label, an annotation of ours or the image of a container of ours is changed on a running pod',
    why: 'whether and by what a pod is guarded is decided when it is created; another image in the sidecar’s place would run under the uid that the packet rules let out.',
    instead:
      'Change the workload’s template and let it replace the pods; use lazaret.dev/guard: all where authors are not trusted with labels.',
  },
  {
    id: 'B-11',
    verdict: 'policy',
    exemptible: false,
    title: 'The namespace’s guard label is removed, lowered or mistyped',
    why: 'a namespace that loses its label loses its guard for every later pod.',
    instead: 'Let somebody who is allowed the verb unguard on this namespace change the label.',
  },
  {
    id: 'B-17',
    verdict: 'deny',
    exemptible: false,
    title: 'A debug container that breaks any of these rules',
    why: 'an ephemeral container runs in the pod’s network as any other does.',
    instead:
      'Use kubectl debug with the profile restricted; every rule for containers holds for it, and its denial names the rule.',
  },
  {
    id: 'B-18',
    verdict: 'policy',
    exemptible: false,
    title: 'exec, attach or cp into a container of ours',
    why: 'it would run a program under the uid that the packet rules let out.',
    instead: 'Read logs with kubectl logs, and metrics on port 15020.',
  },
  {
    id: 'B-21',
    verdict: 'report',
    exemptible: false,
    title: 'Pods from before the guard',
    why: 'admission sees only what is created.',
    instead: 'Restart the workloads of a namespace after labelling it; unguarded pods are counted and listed.',
  },
  {
    id: 'B-22',
    verdict: 'report',
    exemptible: false,
    title: 'The webhook or the policy is edited or deleted',
    why: 'the API server asks nobody about changes of its own admission objects.',
    instead: 'Give nobody but the release the right to change them; an alert tells when they change.',
  },
  {
    id: 'B-26',
    verdict: 'policy',
    exemptible: false,
    title: 'The sidecar is resized to nothing, or does not run',
    why: 'without the sidecar redirected connections are refused, and a resize could keep it from running.',
    instead:
      'Resize the application’s containers only; for the sidecar write lazaret.dev/sidecar-cpu and lazaret.dev/sidecar-memory in the template.',
  },
  {
    id: 'B-27',
    verdict: 'deny',
    exemptible: false,
    title: 'An object that is not what its fields say',
    why: 'a field of the wrong type could hide from a rule what a more tolerant reader would see.',
    instead: 'Write the field with the type that Kubernetes documents.',
  },
  {
    id: 'B-39',
    verdict: 'deny',
    exemptible: false,
    title: 'A pod with parts of a guard and without the PHI label, where the label decides',
    why: 'a copy of a guarded pod would run with what another pod’s guard left in it.',
    instead:
      'Write lazaret.dev/phi: "true", and it is guarded anew; or take the containers and volumes whose names start with lazaret- and the annotation lazaret.dev/mark out.',
  },
];

/** Rules that guard the review itself. */
export const REVIEW_RULES: readonly Rule[] = [
  {
    id: 'ADM-17',
    verdict: 'deny',
    exemptible: false,
    title: 'A review that is too large or not readable',
    why: 'what cannot be read completely is not let through.',
    instead: 'Send an AdmissionReview of admission.k8s.io/v1 of at most 4 MiB.',
  },
  {
    id: 'ADM-19',
    verdict: 'deny',
    exemptible: false,
    title: 'A guard that another webhook changed',
    why: 'after all webhooks have run, this part of the guard is not as it must be; a webhook that rewrites pods with an old library often drops fields that it does not know.',
    instead: 'Find the mutating webhook that changes this field, and update it or exclude the namespace from it.',
  },
  {
    id: 'ADM-22',
    verdict: 'deny',
    exemptible: false,
    title: 'A guard or PHI label with a value that means nothing',
    why: 'a typing error must not mean unguarded.',
    instead:
      'Write lazaret.dev/guard: labelled or all on the namespace, and lazaret.dev/phi: "true" or "false" on the pod.',
  },
  {
    id: 'ADM-24',
    verdict: 'deny',
    exemptible: false,
    title: 'Sidecar resources or a log level outside the chart’s bounds',
    why: 'the guard must neither starve nor take the node.',
    instead:
      'Write lazaret.dev/sidecar-cpu and lazaret.dev/sidecar-memory within the chart’s sidecar.bounds, and lazaret.dev/log-level as debug, info, warn or error.',
  },
  {
    id: 'ADM-39',
    verdict: 'deny',
    exemptible: false,
    title: 'A fault of the guard’s own admission',
    why: 'the review could not be finished, and what is not judged is not let through.',
    instead: 'Tell who runs Lazaret; the controller’s log has the exchange under the uid of this review.',
  },
  {
    id: 'ADM-60',
    verdict: 'deny',
    exemptible: false,
    title: 'A policy resource that is not usable',
    why: 'half of a policy is never used.',
    instead: 'Correct the field.',
  },
];
