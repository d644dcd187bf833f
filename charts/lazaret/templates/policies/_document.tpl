{{/* The document that the controller reads, with the defaults that it uses where a value is missing (controller/admission/values.ts). */}}
{{- define "lazaret.policies.document" -}}
{{- $defaults := include "lazaret.policies.defaults" . | fromYaml -}}
{{- mergeOverwrite $defaults (include "lazaret.document" . | fromYaml) | toYaml -}}
{{- end -}}

{{- define "lazaret.policies.defaults" -}}
global: { imageRegistry: "" }
sidecar:
  image: { repository: lazaret/sidecar, tag: "0.1.0", digest: "", pullPolicy: IfNotPresent }
  resources: { requests: { cpu: 50m, memory: 128Mi }, limits: { cpu: "1", memory: 256Mi } }
  bounds: { cpu: { min: 50m, max: "4" }, memory: { min: 192Mi, max: 1Gi } }
  upstreamRoots: ""
init:
  image: { repository: lazaret/init, tag: "0.1.0", digest: "", pullPolicy: IfNotPresent }
  resources: { requests: { cpu: 10m, memory: 64Mi }, limits: { cpu: "1", memory: 256Mi } }
network: { udpAllowed: [], resolvers: [] }
egress: {}
collector: { url: "https://lazaret-collector.lazaret.svc:8443" }
controller: { bundleUrl: "https://lazaret-controller.lazaret.svc:8444" }
admission: { proxies: [], mesh: [], runtimeClasses: [], nameservers: [], hostAliases: [] }
{{- end -}}

{{/* The images that a container of ours may have: the chart's, those named for an upgrade, and those that the controller wrote down. */}}
{{- define "lazaret.policies.image" -}}
{{- $image := .image -}}
{{- $reference := printf "%s%s%s" $image.repository (empty $image.tag | ternary "" (printf ":%s" (toString $image.tag))) (empty $image.digest | ternary "" (printf "@%s" $image.digest)) -}}
{{- $reference = empty .registry | ternary $reference (printf "%s/%s" (trimSuffix "/" .registry) $reference) -}}
[variables.{{ .of }}.?image.orValue('')].exists(i, i in {{ prepend .previous $reference | toJson }} || variables.known.exists(k, k.startsWith('_{{ .key }}') && variables.known[k] == i))
{{- end -}}
