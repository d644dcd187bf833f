{{/*
Which pods a webhook sees. Call with (dict "root" $ "guard" "all" | "labelled"). The entry "all" also takes every value of the
label that means nothing, because a typing error must not mean unguarded; the entry "labelled" takes every pod that carries the
PHI label, whatever its value, for the same reason.
*/}}
{{- define "lazaret.podScope" -}}
rules:
  - apiGroups: [""]
    apiVersions: [v1]
    operations: [CREATE]
    resources: [pods]
    scope: Namespaced
  - apiGroups: [""]
    apiVersions: [v1]
    operations: [UPDATE]
    resources: [pods/ephemeralcontainers]
    scope: Namespaced
matchPolicy: Equivalent
namespaceSelector:
  matchExpressions:
    {{- if eq .guard "all" }}
    - {key: lazaret.dev/guard, operator: Exists}
    - {key: lazaret.dev/guard, operator: NotIn, values: [labelled]}
    {{- else }}
    - {key: lazaret.dev/guard, operator: In, values: [labelled]}
    {{- end }}
    {{- include "lazaret.excludedNamespaces" .root | nindent 4 }}
{{- if eq .guard "all" }}
objectSelector: {}
{{- else }}
objectSelector:
  matchExpressions:
    - {key: lazaret.dev/phi, operator: Exists}
{{- end }}
{{- end -}}

{{/* What holds for every webhook that decides about pods. */}}
{{- define "lazaret.podTerms" -}}
sideEffects: None
failurePolicy: {{ .Values.webhook.failurePolicy }}
timeoutSeconds: {{ .Values.webhook.timeoutSeconds }}
{{- end -}}
