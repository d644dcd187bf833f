{{/* The chart's name, or what stands in for it. */}}
{{- define "lazaret.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 36 | trimSuffix "-" -}}
{{- end -}}

{{/* FULLNAME: every object, certificate and lease is named after it. 36 characters leave room for the longest ending. */}}
{{- define "lazaret.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 36 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 36 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 36 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels that never change, for selectors. Call with (dict "root" $ "component" NAME). */}}
{{- define "lazaret.selectorLabels" -}}
app.kubernetes.io/name: {{ include "lazaret.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Labels of every object, without its component. */}}
{{- define "lazaret.labels" -}}
app.kubernetes.io/name: {{ include "lazaret.name" . }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: lazaret
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of an object of one component. Call with (dict "root" $ "component" NAME). */}}
{{- define "lazaret.componentLabels" -}}
{{ include "lazaret.labels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Labels of pods: the selector's, the deployer's, and none that change with the chart's version alone. */}}
{{- define "lazaret.podLabels" -}}
{{ include "lazaret.selectorLabels" (dict "root" .root "component" .component) }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- with .own }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* An image reference. Call with (dict "root" $ "image" IMAGE). */}}
{{- define "lazaret.image" -}}
{{- with .root.Values.global.imageRegistry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- .image.repository -}}
:{{ .image.tag | default .root.Chart.AppVersion -}}
{{- with .image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* An image as admission reads it, the tag filled in. */}}
{{- define "lazaret.imageValue" -}}
repository: {{ .image.repository | quote }}
tag: {{ .image.tag | default .root.Chart.AppVersion | quote }}
digest: {{ .image.digest | quote }}
pullPolicy: {{ .image.pullPolicy }}
{{- end -}}

{{- define "lazaret.bundleUrl" -}}
https://{{ include "lazaret.fullname" . }}-controller.{{ .Release.Namespace }}.svc:8444
{{- end -}}

{{- define "lazaret.collectorUrl" -}}
https://{{ include "lazaret.fullname" . }}-collector.{{ .Release.Namespace }}.svc:8443
{{- end -}}

{{/* Secret with the collector's serving certificate. */}}
{{- define "lazaret.collectorTls" -}}
{{- if eq .Values.certs.mode "existingSecret" -}}
{{ .Values.certs.existingSecret.collector }}
{{- else -}}
{{ include "lazaret.fullname" . }}-collector-tls
{{- end -}}
{{- end -}}

{{/* Secret with the controller's serving certificate, where files are mounted. */}}
{{- define "lazaret.controllerTls" -}}
{{- if eq .Values.certs.mode "existingSecret" -}}
{{ .Values.certs.existingSecret.controller }}
{{- else -}}
{{ include "lazaret.fullname" . }}-controller-tls
{{- end -}}
{{- end -}}

{{/*
The namespaces that the guard never touches, whatever their labels: without them the cluster and the guard itself could not
start again. This stands here and not in values, so that no value can take it away.
*/}}
{{- define "lazaret.excludedNamespaces" -}}
- {key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system, kube-public, kube-node-lease, {{ .Release.Namespace | quote }}]}
# What Azure adds to webhooks by itself; written here so that it finds nothing to change.
- {key: control-plane, operator: NotIn, values: ["true"]}
- {key: kubernetes.azure.com/managedby, operator: NotIn, values: [aks]}
{{- end -}}

{{/* How the API server reaches a webhook. Call with (dict "root" $ "path" PATH). */}}
{{- define "lazaret.clientConfig" -}}
service:
  name: {{ include "lazaret.fullname" .root }}-controller
  namespace: {{ .root.Release.Namespace | quote }}
  path: {{ .path }}
  port: 443
{{- if eq .root.Values.certs.mode "existingSecret" }}
caBundle: {{ b64enc .root.Values.certs.existingSecret.caBundle }}
{{- end }}
{{- end -}}

{{/* Annotations of the webhook configurations. */}}
{{- define "lazaret.webhookAnnotations" -}}
{{- if eq .Values.certs.mode "certManager" }}
cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/{{ include "lazaret.fullname" . }}-controller
{{- end }}
{{- with .Values.webhook.annotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Security context of our own containers: Pod Security "restricted". */}}
{{- define "lazaret.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* Security context of a pod of ours; ids that are null are left to the platform. */}}
{{- define "lazaret.podSecurity" -}}
runAsNonRoot: true
seccompProfile: {type: RuntimeDefault}
{{- range $key, $id := . }}
{{- if ne (toString $id) "<nil>" }}
{{ $key }}: {{ int64 $id }}
{{- end }}
{{- end }}
fsGroupChangePolicy: OnRootMismatch
{{- end -}}

{{/* The API server's token, authority and namespace, as a pod's automatic mount would have them. */}}
{{- define "lazaret.apiToken" -}}
name: api-token
projected:
  defaultMode: 0440
  sources:
    - serviceAccountToken: {path: token, expirationSeconds: 3607}
    - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
    - downwardAPI: {items: [{path: namespace, fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}]}
{{- end -}}
