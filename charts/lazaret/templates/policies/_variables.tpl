{{/* Variables that every policy on pods begins with. */}}
{{- define "lazaret.policies.common" -}}
- name: labels
  expression: object.metadata.?labels.orValue({})
- name: annotations
  expression: object.metadata.?annotations.orValue({})
- name: namespaceLabels
  expression: namespaceObject.metadata.?labels.orValue({})
- name: sidecars
  expression: object.spec.?initContainers.orValue([]).filter(c, c.name == 'lazaret-sidecar')
- name: uid
  expression: "variables.sidecars.size() == 0 ? -2 : variables.sidecars[0].?securityContext.?runAsUser.orValue(-2)"
- name: gid
  expression: "variables.sidecars.size() == 0 ? -2 : variables.sidecars[0].?securityContext.?runAsGroup.orValue(-2)"
{{- end -}}

{{/* The rules that a GuardExemption in force lifts for this pod: `*`, or labels that the pod must have. */}}
{{- define "lazaret.policies.exempt" -}}
- name: known
  expression: "params.?data.orValue({})"
- name: exempt
  expression: |-
    {{ .exemptible | toJson }}.filter(r, (request.namespace + '.' + r) in variables.known
      && variables.known[request.namespace + '.' + r].split(',').exists(a, a == '*' || (a.contains('=') && a.split(';').all(p,
        p.contains('=') && p.split('=')[0] in variables.labels && variables.labels[p.split('=')[0]] == p.substring(p.indexOf('=') + 1)))))
{{- end -}}

{{/* The containers of a list with their paths in the object. Names are looked up in a list that is made once: a pod may have hundreds. */}}
{{- define "lazaret.policies.list" -}}
object.spec.?{{ .list }}.orValue([]){{ .filter | default "" }}.map(c, {'at': dyn('spec.{{ .list }}[' + string(variables.names.{{ .list }}.indexOf(c.name)) + ']'), 'c': dyn(c)})
{{- end -}}

{{/* The names in each list of containers. */}}
{{- define "lazaret.policies.names" -}}
- name: names
  expression: |-
    { {{- range $i, $list := . }}{{ if $i }}, {{ end }}'{{ $list }}': object.spec.?{{ $list }}.orValue([]).map(c, c.name){{ end -}} }
{{- end -}}

{{/* Whether a pod, or a container, names its user or its group, so that no image can decide both. */}}
{{- define "lazaret.policies.owned" -}}
{{ . }}.?securityContext.?runAsUser.hasValue() || {{ . }}.?securityContext.?runAsGroup.hasValue()
{{- end -}}

{{/* What is the same for all rules about containers, once variables.all is there: meshes, hardening and trust files. */}}
{{- define "lazaret.policies.hardening" -}}
- name: meshes
  expression: |-
    variables.all.filter(x, x.c.name in {{ include "lazaret.policies.meshes" . | fromYaml | keys | sortAlpha | toJson }})
      .map(x, {'at': x.at, 'name': x.c.name, 'mesh': dyn({{ include "lazaret.policies.meshes" . | fromYaml | toJson }}[x.c.name])})
- name: drops
  expression: "'B-04' in variables.exempt ? ['NET_ADMIN', 'NET_RAW'] : ['NET_ADMIN', 'NET_RAW', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID']"
- name: soft
  expression: |-
    variables.all.filter(x, ![x.c.?securityContext.?capabilities.?drop.orValue([])].exists(d, 'ALL' in d || variables.drops.all(n, n in d)))
      .map(x, x.at + '.securityContext.capabilities.drop')
    + variables.all.filter(x, !('B-04' in variables.exempt) && x.c.?securityContext.?allowPrivilegeEscalation.orValue(true))
      .map(x, x.at + '.securityContext.allowPrivilegeEscalation')
- name: untrusting
  expression: |-
    variables.all.filter(x, !x.c.?volumeMounts.orValue([]).exists(m, m.name == 'lazaret-trust' && m.mountPath == '/run/lazaret/trust'
      && m.?readOnly.orValue(false) && m.?subPath.orValue('') == '' && m.?subPathExpr.orValue('') == '')).map(x, x.at + '.volumeMounts')
{{- end -}}
