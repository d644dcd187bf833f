{{/* Any value as a CEL literal. CEL wants lists and maps of one type, so everything inside is dyn. */}}
{{- define "lazaret.policies.literal" -}}
{{- if kindIs "map" . -}}
{{- $entries := list -}}
{{- range $key, $value := . -}}
{{- $entries = append $entries (printf "%s: dyn(%s)" (toJson $key) (include "lazaret.policies.literal" $value)) -}}
{{- end -}}
{ {{- join ", " $entries -}} }
{{- else if kindIs "slice" . -}}
{{- $items := list -}}
{{- range . -}}{{- $items = append $items (printf "dyn(%s)" (include "lazaret.policies.literal" .)) -}}{{- end -}}
[{{ join ", " $items }}]
{{- else if kindIs "float64" . -}}
{{ int64 . }}
{{- else -}}
{{ toJson . }}
{{- end -}}
{{- end -}}

{{/* Containers of variables.all that have an item of a list where a condition holds (the item is i), each with its first such item. */}}
{{- define "lazaret.policies.items" -}}
{{- $list := printf "x.c.?%s.orValue([])" (.field | replace "." ".?") -}}
variables.all.filter(x, {{ $list }}.exists(i, {{ .where }}))
  .map(x, x.at + '.{{ .field }}[' + string({{ $list }}.map(i, {{ .where }}).indexOf(true)) + ']{{ .then | default "" }}')
{{- end -}}

{{/* The first item of a list of the pod's specification where a condition holds. */}}
{{- define "lazaret.policies.podItem" -}}
{{- $list := printf "object.spec.?%s.orValue([])" (.field | replace "." ".?") -}}
({{ $list }}.exists(i, {{ .where }})
  ? ['spec.{{ .field }}[' + string({{ $list }}.map(i, {{ .where }}).indexOf(true)) + ']{{ .then | default "" }}'] : [])
{{- end -}}

{{/* One place, when a condition holds. */}}
{{- define "lazaret.policies.flag" -}}
({{ .where }} ? ['{{ .field }}'] : [])
{{- end -}}

{{/* Name of the variable that holds the places where a rule is broken. */}}
{{- define "lazaret.policies.variable" -}}
{{ . | lower | replace "-" "" }}
{{- end -}}

{{/*
One validation: a rule, the variable with the places where it is broken, and the webhook's words. The API server works out the
message of every rule at every request, so it must cost little when there is nothing to say.
*/}}
{{- define "lazaret.policies.validation" -}}
{{- $words := index (include "lazaret.policies.words" . | fromYaml) .id -}}
{{- $text := printf "%s%s %s" (.why | default $words.why) (.also | default "") (.instead | default $words.instead) -}}
- expression: {{ if .exemptible }}"'{{ .id }}' in variables.exempt || variables.{{ .variable }}.size() == 0"{{ else }}"variables.{{ .variable }}.size() == 0"{{ end }}
  messageExpression: |-
    {{ toJson (printf "%s " .id) }} + variables.{{ .variable }}.join(', ') + {{ toJson (printf ": %s" $text) }}
  message: {{ toJson (printf "%s: %s" .id $text) }}
  reason: Forbidden
{{- end -}}

{{/* Namespaces that are never guarded, because the guard needs them to start: the cluster's own and the release's. */}}
{{- define "lazaret.policies.unguarded" -}}
{{ list "kube-system" "kube-public" "kube-node-lease" .Release.Namespace | toJson }}
{{- end -}}

{{/* A selector of guarded namespaces. */}}
{{- define "lazaret.policies.notUnguarded" -}}
- key: kubernetes.io/metadata.name
  operator: NotIn
  values: {{ include "lazaret.policies.unguarded" . }}
{{- end -}}

{{/* Labels of an object, with the part of the release that it is. */}}
{{- define "lazaret.policies.labels" -}}
{{ include "lazaret.labels" . }}
app.kubernetes.io/component: policy
{{- end -}}

{{/* What a binding matches: every pod of namespaces with `all`, or the PHI-bearing ones. A mistyped value counts as `all` and as PHI-bearing, so that rule ADM-22 can refuse it. */}}
{{- define "lazaret.policies.scope" -}}
namespaceSelector:
  matchExpressions:
    - { key: lazaret.dev/guard, operator: {{ eq . "all" | ternary "NotIn" "In" }}, values: [labelled] }
{{- if eq . "labelled" }}
objectSelector:
  matchExpressions:
    - { key: lazaret.dev/phi, operator: Exists }
    - { key: lazaret.dev/phi, operator: NotIn, values: ["false"] }
{{- end }}
{{- end -}}
