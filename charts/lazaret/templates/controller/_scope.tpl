{{/*
Which pods a webhook sees. Call with (dict "root" $ "guard" "all" | "labelled" | "copied"). The entry "all" also takes every value
of the label that means nothing, because a typing error must not mean unguarded; the entry "labelled" takes every pod that carries
the PHI label, whatever its value, for the same reason; the entry "copied" takes what holds parts of a guard without that label, as
copies that kubectl debug makes. Its condition is in the webhook, so that our downtime stops no other pod.
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
{{- else if eq .guard "labelled" }}
objectSelector:
  matchExpressions:
    - {key: lazaret.dev/phi, operator: Exists}
{{- else }}
objectSelector:
  matchExpressions:
    - {key: lazaret.dev/phi, operator: DoesNotExist}
matchConditions:
  - name: holds-parts-of-a-guard
    expression: |-
      {{- include "lazaret.holdsGuard" . | nindent 6 }}
{{- end }}
{{- end -}}

{{/* Whether a pod holds parts of a guard, in CEL: the twin of controller/admission/eligibility.ts. */}}
{{- define "lazaret.holdsGuard" -}}
'lazaret.dev/mark' in object.metadata.?annotations.orValue({})
{{- range list "initContainers" "containers" "ephemeralContainers" "volumes" }}
|| object.spec.?{{ . }}.orValue([]).exists(c, c.name.lowerAscii().startsWith('lazaret-'))
{{- end }}
{{- end -}}

{{/* What holds for every webhook that decides about pods. */}}
{{- define "lazaret.podTerms" -}}
sideEffects: None
failurePolicy: {{ .Values.webhook.failurePolicy }}
timeoutSeconds: {{ .Values.webhook.timeoutSeconds }}
{{- end -}}
