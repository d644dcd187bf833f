{{/* What a denial says: the words of controller/admission/rules, which a test compares. */}}
{{- define "lazaret.policies.words" -}}
B-01:
  why: "this is the uid of the guard in this pod, which its packet rules let out."
  instead: "Choose another runAsUser, best outside 20000 to 59999."
B-02:
  why: "this is the gid of the guard in this pod, which its packet rules let out together with the uid."
  instead: "Choose another group, best outside 20000 to 59999."
B-03:
  why: "an image’s USER cannot be seen at admission, and one that comes later can be built for the uid and gid that were drawn for this pod."
  instead: "Change the workload’s template and let it replace the pods, or write runAsUser or runAsGroup there, which no image can change."
B-04:
  why: "a process that can change its user can become the guard, which the packet rules let out."
  instead: "Leave it out and start the image as the user that it needs (runAsUser); an image that must step down from root needs a GuardExemption for B-04."
B-05:
  why: "it can remove the packet rules, send around them, or read the guard’s memory."
  instead: "Leave it out, or run this workload in a namespace of its own without PHI."
B-06:
  why: "in the node’s network there is nothing of the pod’s own to guard, and packet rules would change the node."
  instead: "Remove hostNetwork, or run this workload in a namespace of its own without PHI."
B-07:
  why: "it opens the guard’s memory and files, or the node’s, to the application."
  instead: "Remove it; for files use a ConfigMap, an emptyDir, a PersistentVolumeClaim or a CSI volume."
B-08:
  why: "names that start with lazaret- are the guard’s."
  instead: "Rename it. In a copied pod, lazaret-init and lazaret-sidecar among initContainers may stay: they are made anew."
B-10:
  why: "whether and by what a pod is guarded is decided when it is created; another image in the sidecar’s place would run under the uid that the packet rules let out."
  instead: "Change the workload’s template and let it replace the pods; use lazaret.dev/guard: all where authors are not trusted with labels."
B-11:
  why: "a namespace that loses its label loses its guard for every later pod."
  instead: "Let somebody who is allowed the verb unguard on this namespace change the label."
B-12:
  why: "it would open the guard’s files to the application, or put other files in their place."
  instead: "Rename the volume, and mount nothing at or below /run/lazaret."
B-15:
  why: "no annotation or label makes a hole into the guard, and a misspelt one must not look as if it did something."
  instead: "Remove it; an author may write lazaret.dev/sidecar-cpu, lazaret.dev/sidecar-memory, lazaret.dev/log-level, lazaret.dev/phi."
B-18:
  why: "it would run a program under the uid that the packet rules let out."
  instead: "Read logs with kubectl logs, and metrics on port 15020."
B-19:
  why: "each of them redirects the pod’s traffic, and which one wins is not known."
  instead: "Keep one mesh, and exclude the pod from the other."
B-20:
  why: "the kubelet runs a static pod whatever the API server says, so its guard cannot be promised."
  instead: "Run it as a Deployment or DaemonSet; the copy in the API is denied and the pod is reported as unguarded."
B-24:
  why: "this variable is a list to which the guard adds its own entry, and a value from elsewhere cannot be read at admission."
  instead: "Write its value as text. Other trust variables are replaced by the guard’s, with a warning: put the roots that they named into the chart’s admission.extraRootsConfigMap."
B-25:
  why: "the packet rules are not known to hold there."
  instead: "Run it on Linux nodes under the default runtime, or have the runtime class listed in the chart’s admission.runtimeClasses."
B-26:
  why: "without the sidecar redirected connections are refused, and a resize could keep it from running."
  instead: "Resize the application’s containers only; for the sidecar write lazaret.dev/sidecar-cpu and lazaret.dev/sidecar-memory in the template."
B-28:
  why: "the application would see other addresses under a name than the guard does."
  instead: "Remove it, or have it listed in the chart’s admission.nameservers or admission.hostAliases."
B-29:
  why: "with targetContainerName it shares the guard’s processes and can read its memory."
  instead: "Target a container of the application."
B-30:
  why: "ports 15001 and 15020 are the guard’s, and so are port names that start with lazaret-."
  instead: "Let the application listen on another port."
B-31:
  why: "lazaret-init needs NET_ADMIN for its packet rules, which this level forbids, so the guarded pod would be denied."
  instead: "Label the namespace pod-security.kubernetes.io/enforce=privileged; the levels for warn and audit may stay, and the guard hardens every container."
B-32:
  why: "a token for the audience lazaret.dev is how a sidecar proves its pod; no other container may hold one."
  instead: "Remove this token source, or give it the audience of the service that it is for."
B-33:
  why: "only AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, NET_BIND_SERVICE and SYS_CHROOT are known to leave the guard alone."
  instead: "Leave it out, or ask for a GuardExemption for B-33."
B-34:
  why: "it can change how the pod’s packets are routed."
  instead: "Leave it out, or ask for a GuardExemption for B-34."
B-35:
  why: "with hostUsers: false the packet rules are not tested to see the right uid."
  instead: "Remove hostUsers."
B-36:
  why: "both run programs on the node with the author’s parameters."
  instead: "Use a CSI volume, or fetch the repository in an init container into an emptyDir."
B-37:
  why: "a mesh redirects the same traffic, and only registered meshes were tested beside the guard."
  instead: "Exclude the pod from the mesh, or have its container names listed in the chart’s admission.mesh."
B-38:
  why: "a proxy stands between the guard and the destination, so that it cannot judge where a request goes."
  instead: "Remove the variable: the guard itself can go out through a proxy (the chart’s egress.proxy); a proxy that applications may name stands in admission.proxies."
B-39:
  why: "a copy of a guarded pod would run with what another pod’s guard left in it."
  instead: "Write lazaret.dev/phi: \"true\", and it is guarded anew; or take the containers and volumes whose names start with lazaret- and the annotation lazaret.dev/mark out."
ADM-19:
  why: "after all webhooks have run, this part of the guard is not as it must be; a webhook that rewrites pods with an old library often drops fields that it does not know."
  instead: "Find the mutating webhook that changes this field, and update it or exclude the namespace from it."
ADM-22:
  why: "a typing error must not mean unguarded."
  instead: "Write lazaret.dev/guard: labelled or all on the namespace, and lazaret.dev/phi: \"true\" or \"false\" on the pod."
ADM-24:
  why: "the guard must neither starve nor take the node."
  instead: "Write lazaret.dev/sidecar-cpu and lazaret.dev/sidecar-memory within the chart’s sidecar.bounds, and lazaret.dev/log-level as debug, info, warn or error."
ADM-21:
  why: "the release’s own namespace and the cluster’s system namespaces are never guarded, because the guard needs them to start."
  instead: "Leave the label out, and run workloads with PHI in a namespace of their own."
{{- end -}}
