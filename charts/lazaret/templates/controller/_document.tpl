{{/* The values that controller, admission and policy read, as one document. */}}
{{- define "lazaret.document" -}}
{{- $network := omit .Values.network "resolvers" -}}
{{- with .Values.network.resolvers }}{{ $network = set $network "resolvers" . }}{{ end -}}
releaseNamespace: {{ .Release.Namespace | quote }}
evaluation: {{ .Values.evaluation }}
global:
  imageRegistry: {{ .Values.global.imageRegistry | quote }}
controller:
  bundleUrl: {{ include "lazaret.bundleUrl" . | quote }}
collector:
  url: {{ include "lazaret.collectorUrl" . | quote }}
audit:
  recipients: {{ .Values.audit.recipients | toJson }}
sidecar:
  image:
    {{- include "lazaret.imageValue" (dict "root" $ "image" .Values.sidecar.image) | nindent 4 }}
  {{- omit .Values.sidecar "image" | toYaml | nindent 2 }}
init:
  image:
    {{- include "lazaret.imageValue" (dict "root" $ "image" .Values.init.image) | nindent 4 }}
  {{- omit .Values.init "image" | toYaml | nindent 2 }}
network:
  {{- toYaml $network | nindent 2 }}
egress:
  {{- toYaml .Values.egress | nindent 2 }}
admission:
  {{- toYaml .Values.admission | nindent 2 }}
policy:
  {{- toYaml .Values.policy | nindent 2 }}
{{- end -}}
