{{/*
The bypasses that an object can show, by rule id. `container` and `pod` are CEL lists of the places where a rule is broken: of the
containers in variables.all (at: path, c: container) and of the pod itself. They are the twins of controller/admission/rules.
*/}}
{{- define "lazaret.policies.rules" -}}
{{- $values := include "lazaret.policies.document" . | fromYaml -}}
{{- $becoming := list "SETFCAP" "SETGID" "SETPCAP" "SETUID" -}}
{{- $reaching := list "NET_ADMIN" "NET_RAW" "SYS_ADMIN" "SYS_PTRACE" "SYS_MODULE" "BPF" "PERFMON" "ALL" -}}
{{- $harmless := list "AUDIT_WRITE" "CHOWN" "DAC_OVERRIDE" "FOWNER" "FSETID" "KILL" "NET_BIND_SERVICE" "SYS_CHROOT" -}}
{{- /* Runtimes take a capability with and without CAP_, in any case. */ -}}
{{- $capability := "[i.trim().upperAscii()].exists(n, (n.startsWith('CAP_') ? n.substring(4) : n) in %s)" -}}
{{- $add := "securityContext.capabilities.add" -}}
{{- $os := list "kubernetes.io/os" "beta.kubernetes.io/os" -}}
{{- $terms := "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms" -}}
- id: B-01
  container: |-
    variables.all.filter(x, x.c.?securityContext.?runAsUser.orValue(-1) == variables.uid).map(x, x.at + '.securityContext.runAsUser')
    + variables.all.filter(x, x.c.?securityContext.?windowsOptions.?runAsUserName.orValue('') == string(variables.uid))
      .map(x, x.at + '.securityContext.windowsOptions.runAsUserName')
  pod: |-
    {{ include "lazaret.policies.flag" (dict "where" "object.spec.?securityContext.?runAsUser.orValue(-1) == variables.uid" "field" "spec.securityContext.runAsUser") }}
- id: B-02
  container: |-
    variables.all.filter(x, x.c.?securityContext.?runAsGroup.orValue(-1) == variables.gid).map(x, x.at + '.securityContext.runAsGroup')
  pod: |-
    {{ include "lazaret.policies.flag" (dict "where" "object.spec.?securityContext.?runAsGroup.orValue(-1) == variables.gid" "field" "spec.securityContext.runAsGroup") }}
    + {{ include "lazaret.policies.flag" (dict "where" "object.spec.?securityContext.?fsGroup.orValue(-1) == variables.gid" "field" "spec.securityContext.fsGroup") }}
    + {{ include "lazaret.policies.podItem" (dict "field" "securityContext.supplementalGroups" "where" "i == variables.gid") | nindent 4 | trim }}
- id: B-04
  exemptible: true
  container: |-
    {{ include "lazaret.policies.items" (dict "field" $add "where" (printf $capability (toJson $becoming))) | nindent 4 | trim }}
    + variables.all.filter(x, x.c.?securityContext.?allowPrivilegeEscalation.orValue(false) && !x.c.?securityContext.?privileged.orValue(false))
      .map(x, x.at + '.securityContext.allowPrivilegeEscalation')
- id: B-05
  container: |-
    variables.all.filter(x, x.c.?securityContext.?privileged.orValue(false)).map(x, x.at + '.securityContext.privileged')
    + {{ include "lazaret.policies.items" (dict "field" $add "where" (printf $capability (toJson $reaching))) | nindent 4 | trim }}
- id: B-06
  pod: |-
    {{ include "lazaret.policies.flag" (dict "where" "object.spec.?hostNetwork.orValue(false)" "field" "spec.hostNetwork") }}
- id: B-07
  container: |-
    variables.all.filter(x, x.c.?securityContext.?procMount.orValue('Default') != 'Default').map(x, x.at + '.securityContext.procMount')
  pod: |-
    {{ include "lazaret.policies.flag" (dict "where" "object.spec.?hostPID.orValue(false)" "field" "spec.hostPID") }}
    + {{ include "lazaret.policies.flag" (dict "where" "object.spec.?hostIPC.orValue(false)" "field" "spec.hostIPC") }}
    + {{ include "lazaret.policies.flag" (dict "where" "object.spec.?shareProcessNamespace.orValue(false)" "field" "spec.shareProcessNamespace") }}
    + {{ include "lazaret.policies.podItem" (dict "field" "volumes" "where" "has(i.hostPath)" "then" ".hostPath") | nindent 4 | trim }}
- id: B-08
  container: |-
    variables.all.filter(x, x.c.name.lowerAscii().startsWith('lazaret-')).map(x, x.at + '.name')
- id: B-12
  container: |-
    {{- /* The two forms of a mount that only we write; anything else may neither cover our paths nor name our volumes. A path with ".." is not worked out. */ -}}
    {{- $ours := "(i.name == 'lazaret-trust' && i.?readOnly.orValue(false) && i.?subPathExpr.orValue('') == '' && (i.?subPath.orValue('') == '' ? i.mountPath == '/run/lazaret/trust' : i.subPath == 'all-roots.pem'))" -}}
    {{- $covers := "i.mountPath.contains('lazaret') && [i.mountPath.split('/').filter(s, s != '' && s != '.')].exists(p, ['run/lazaret/', 'var/run/lazaret/', 'var/lib/lazaret/spool/'].exists(g, (p.join('/') + '/').startsWith(g)) || ('..' in p && 'lazaret' in p))" }}
    {{ include "lazaret.policies.items" (dict "field" "volumeMounts" "where" (printf "!%s && %s" $ours $covers) "then" ".mountPath") | nindent 4 | trim }}
    + {{ include "lazaret.policies.items" (dict "field" "volumeMounts" "where" (printf "!%s && i.name.lowerAscii().startsWith('lazaret-')" $ours) "then" ".name") | nindent 4 | trim }}
    + {{ include "lazaret.policies.items" (dict "field" "volumeDevices" "where" "i.name.lowerAscii().startsWith('lazaret-')" "then" ".name") | nindent 4 | trim }}
  pod: |-
    {{ include "lazaret.policies.podItem" (dict "field" "volumes" "where" "i.name.lowerAscii().startsWith('lazaret-') && !(i.name in variables.ourVolumes)" "then" ".name") | nindent 4 | trim }}
- id: B-15
  pod: |-
    {{- $reserved := "(k.lowerAscii().matches('^([^/]*[.])?lazaret[.]dev/') && !(k in %s)) || k.matches('^container[.][a-z.]+/lazaret-')" }}
    variables.labels.filter(k, {{ printf $reserved "['lazaret.dev/phi']" }}).map(k, 'metadata.labels["' + k + '"]')
    + variables.annotations.filter(k, {{ printf $reserved "['lazaret.dev/sidecar-cpu', 'lazaret.dev/sidecar-memory', 'lazaret.dev/log-level', 'lazaret.dev/mark']" }})
      .map(k, 'metadata.annotations["' + k + '"]')
- id: B-19
  exemptible: true
  container: |-
    variables.meshes.filter(x, x.mesh != variables.meshes[0].mesh).map(x, x.at + '.name')
- id: B-20
  pod: |-
    {{ include "lazaret.policies.flag" (dict "where" "'kubernetes.io/config.mirror' in variables.annotations" "field" "metadata.annotations[\"kubernetes.io/config.mirror\"]") }}
- id: B-24
  container: |-
    {{ include "lazaret.policies.items" (dict "field" "env" "where" "i.name in ['JAVA_TOOL_OPTIONS', 'PHP_INI_SCAN_DIR'] && has(i.valueFrom)" "then" ".valueFrom") | nindent 4 | trim }}
- id: B-25
  exemptible: true
  container: |-
    variables.all.filter(x, has(x.c.securityContext) && has(x.c.securityContext.windowsOptions)).map(x, x.at + '.securityContext.windowsOptions')
  pod: |-
    {{ include "lazaret.policies.flag" (dict "where" "object.spec.?os.?name.orValue('').lowerAscii() == 'windows'" "field" "spec.os.name") }}
    {{- range $os }}
    + {{ include "lazaret.policies.flag" (dict "where" (printf "object.spec.?nodeSelector[?'%s'].orValue('').lowerAscii() == 'windows'" .) "field" (printf "spec.nodeSelector[\"%s\"]" .)) }}
    {{- end }}
    + {{ include "lazaret.policies.podItem" (dict "field" $terms "where" (printf "i.?matchExpressions.orValue([]).exists(e, e.key in %s && e.operator == 'In' && e.?values.orValue([]).exists(v, v.lowerAscii() == 'windows'))" (toJson $os)) "then" ".matchExpressions") | nindent 4 | trim }}
    + {{ include "lazaret.policies.flag" (dict "where" "has(object.spec.securityContext) && has(object.spec.securityContext.windowsOptions)" "field" "spec.securityContext.windowsOptions") }}
    + {{ include "lazaret.policies.flag" (dict "where" (printf "!(object.spec.?runtimeClassName.orValue('') in %s)" (prepend $values.admission.runtimeClasses "" | toJson)) "field" "spec.runtimeClassName") }}
    + {{ include "lazaret.policies.podItem" (dict "field" "tolerations" "where" "i.?key.orValue('') == 'virtual-kubelet.io/provider'") | nindent 4 | trim }}
    + {{ include "lazaret.policies.flag" (dict "where" "object.spec.?nodeSelector[?'type'].orValue('') == 'virtual-kubelet'" "field" "spec.nodeSelector[\"type\"]") }}
- id: B-28
  exemptible: true
  pod: |-
    {{- $foreign := printf "!(i in %s)" (toJson $values.admission.nameservers) }}
    {{ include "lazaret.policies.flag" (dict "where" (printf "object.spec.?dnsPolicy.orValue('') == 'None' && [object.spec.?dnsConfig.?nameservers.orValue([])].exists(l, l.size() == 0 || l.exists(i, %s))" $foreign) "field" "spec.dnsPolicy") }}
    + {{ include "lazaret.policies.podItem" (dict "field" "dnsConfig.nameservers" "where" $foreign) | nindent 4 | trim }}
    + {{ include "lazaret.policies.podItem" (dict "field" "hostAliases" "where" (printf "i.?hostnames.orValue([]).size() == 0 || i.hostnames.exists(h, !(h.lowerAscii() in %s))" (toJson $values.admission.hostAliases | lower))) | nindent 4 | trim }}
- id: B-29
  container: |-
    variables.all.filter(x, x.c.?targetContainerName.orValue('').lowerAscii().startsWith('lazaret-')).map(x, x.at + '.targetContainerName')
- id: B-30
  container: |-
    {{ include "lazaret.policies.items" (dict "field" "ports" "where" "i.containerPort in [15001, 15020]" "then" ".containerPort") | nindent 4 | trim }}
    + {{ include "lazaret.policies.items" (dict "field" "ports" "where" "i.?name.orValue('').lowerAscii().startsWith('lazaret-')" "then" ".name") | nindent 4 | trim }}
- id: B-31
  pod: |-
    {{ include "lazaret.policies.flag" (dict "where" "variables.namespaceLabels[?'pod-security.kubernetes.io/enforce'].orValue('privileged') != 'privileged'" "field" "namespace.metadata.labels[\"pod-security.kubernetes.io/enforce\"]") }}
- id: B-32
  pod: |-
    {{ include "lazaret.policies.podItem" (dict "field" "volumes" "where" "i.name != 'lazaret-token' && i.?projected.?sources.orValue([]).exists(s, s.?serviceAccountToken.?audience.orValue('').lowerAscii().contains('lazaret.dev'))" "then" ".projected.sources") | nindent 4 | trim }}
- id: B-33
  exemptible: true
  container: |-
    {{ include "lazaret.policies.items" (dict "field" $add "where" (printf (printf "!%s" $capability) (concat $harmless $reaching $becoming | toJson))) | nindent 4 | trim }}
- id: B-34
  exemptible: true
  pod: |-
    {{- /* Kubernetes' safe set (documentation "Using sysctls in a Kubernetes Cluster", 1.36). */ -}}
    {{- $sysctls := list "kernel.shm_rmid_forced" "net.ipv4.ip_local_port_range" "net.ipv4.ip_local_reserved_ports" "net.ipv4.ip_unprivileged_port_start" "net.ipv4.ping_group_range" "net.ipv4.tcp_fin_timeout" "net.ipv4.tcp_keepalive_intvl" "net.ipv4.tcp_keepalive_probes" "net.ipv4.tcp_keepalive_time" "net.ipv4.tcp_rmem" "net.ipv4.tcp_syncookies" "net.ipv4.tcp_wmem" }}
    {{ include "lazaret.policies.podItem" (dict "field" "securityContext.sysctls" "where" (printf "!(i.name.replace('/', '.') in %s)" (toJson $sysctls))) | nindent 4 | trim }}
- id: B-35
  pod: |-
    {{ include "lazaret.policies.flag" (dict "where" "!object.spec.?hostUsers.orValue(true)" "field" "spec.hostUsers") }}
- id: B-36
  pod: |-
    {{ include "lazaret.policies.podItem" (dict "field" "volumes" "where" "has(i.flexVolume)" "then" ".flexVolume") | nindent 4 | trim }}
    + {{ include "lazaret.policies.podItem" (dict "field" "volumes" "where" "has(i.gitRepo)" "then" ".gitRepo") | nindent 4 | trim }}
- id: B-37
  exemptible: true
  container: |-
    variables.meshes.filter(x, !(x.name in {{ toJson $values.admission.mesh }})).map(x, x.at + '.name')
  {{- if not (has "istio-ambient" $values.admission.mesh) }}
  pod: |-
    ('istio.io/dataplane-mode' in variables.labels
      ? {{ include "lazaret.policies.flag" (dict "where" "variables.labels['istio.io/dataplane-mode'] == 'ambient'" "field" "metadata.labels[\"istio.io/dataplane-mode\"]") }}
      : {{ include "lazaret.policies.flag" (dict "where" "variables.namespaceLabels[?'istio.io/dataplane-mode'].orValue('') == 'ambient'" "field" "namespace.metadata.labels[\"istio.io/dataplane-mode\"]") }})
  {{- end }}
- id: B-38
  exemptible: true
  container: |-
    {{- /* Two spellings of one proxy are one: a scheme's own port may be written or left out. */ -}}
    {{- $places := list -}}
    {{- range $values.admission.proxies -}}
    {{- $url := urlParse . -}}
    {{- $place := printf "%s://%s" $url.scheme $url.host | lower -}}
    {{- $port := get (dict "http" ":80" "https" ":443") $url.scheme -}}
    {{- $places = append $places $place -}}
    {{- if and $port (hasSuffix $port $place) -}}{{- $places = append $places (trimSuffix $port $place) -}}
    {{- else if and $port (not (regexMatch ":[0-9]+$" $place)) -}}{{- $places = append $places (printf "%s%s" $place $port) -}}{{- end -}}
    {{- end -}}
    {{- $names := list "http_proxy" "https_proxy" "all_proxy" "ftp_proxy" "socks_proxy" "socks5_proxy" "grpc_proxy" "ws_proxy" "wss_proxy" "global_agent_http_proxy" "global_agent_https_proxy" "npm_config_proxy" "npm_config_http_proxy" "npm_config_https_proxy" -}}
    {{- $known := printf "isURL(i.value) && (url(i.value).getScheme() + '://' + url(i.value).getHost()).lowerAscii() in %s" (toJson $places) }}
    {{ include "lazaret.policies.items" (dict "field" "env" "where" (printf "i.name.lowerAscii() in %s && (has(i.valueFrom) || (i.?value.orValue('') != '' && !(%s)))" (toJson $names) $known)) | nindent 4 | trim }}
{{- end -}}

{{/* Container names of service meshes. */}}
{{- define "lazaret.policies.meshes" -}}
istio-proxy: istio
istio-init: istio
istio-validation: istio
enable-core-dump: istio
linkerd-proxy: linkerd
linkerd-init: linkerd
linkerd-network-validator: linkerd
linkerd-debug: linkerd
kuma-sidecar: kuma
kuma-init: kuma
kuma-validation: kuma
consul-dataplane: consul
consul-connect-inject-init: consul
consul-sidecar: consul
envoy-sidecar: consul
osm-init: osm
{{- end -}}
