{{/*
The guarded pod: what our two containers and our volumes must be, field by field (controller/admission/guard-containers.ts and
guard-volumes.ts), with what the API server's own plugins add to every container. Each is a CEL list of the places that are wrong.
*/}}
{{- define "lazaret.policies.security" -}}
{{- $fixed := dict "privileged" false "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- $own := merge .own $fixed -}}
variables.{{ .of }}.?securityContext.orValue({}) in [{{ include "lazaret.policies.literal" $own }}, {{ include "lazaret.policies.literal" (set (deepCopy $own) "procMount" "Default") }}]
{{- end -}}

{{/* Mounts in their order; behind them the API server may mount the pod's own service account, which ours do not read. */}}
{{- define "lazaret.policies.mounts" -}}
[variables.{{ .of }}.?volumeMounts.orValue([])].exists(m, m == {{ include "lazaret.policies.literal" .mounts }}
  || (m.size() == {{ add1 (len .mounts) }} && m == {{ include "lazaret.policies.literal" .mounts }} + [m[{{ len .mounts }}]]
    && m[{{ len .mounts }}].size() == 3 && m[{{ len .mounts }}].name.matches('^kube-api-access-[a-z0-9]{1,10}$') && m[{{ len .mounts }}].?readOnly.orValue(false)
    && m[{{ len .mounts }}].mountPath == '/var/run/secrets/kubernetes.io/serviceaccount'))
{{- end -}}

{{/* The environment, entry by entry in its order. A value that is not fixed stands as its name and is checked apart, but is always plain text. */}}
{{- define "lazaret.policies.environment" -}}
{{- $entries := list -}}
{{- range .entries -}}
{{- if kindIs "string" . -}}{{- $entries = append $entries (printf "dyn(%s)" (toJson .)) -}}
{{- else if hasKey . "cel" -}}{{- $entries = append $entries (printf "dyn({'name': dyn(%s), 'value': dyn(%s)})" (toJson .name) .cel) -}}
{{- else if hasKey . "ofPod" -}}{{- $entries = append $entries (printf "dyn(%s)" (include "lazaret.policies.literal" (dict "name" .name "valueFrom" (dict "fieldRef" (dict "apiVersion" "v1" "fieldPath" .ofPod))))) -}}
{{- else -}}{{- $entries = append $entries (printf "dyn(%s)" (include "lazaret.policies.literal" (dict "name" .name "value" (.value | replace "$" "$$")))) -}}
{{- end -}}
{{- end -}}
variables.{{ .of }}.?env.orValue([]).map(e, e.name in {{ .open | toJson }} && !has(e.valueFrom) ? dyn(e.name) : dyn(e)) == [{{ join ", " $entries }}]
{{- end -}}

{{/* A value of the environment that is checked apart; v is the value. */}}
{{- define "lazaret.policies.value" -}}
variables.{{ .of }}.?env.orValue([]).all(e, e.name != '{{ .name }}' || [e.?value.orValue('')].exists(v, {{ .where }}))
{{- end -}}

{{/* Amounts, and nothing beside them but what a LimitRange adds. */}}
{{- define "lazaret.policies.amounts" -}}
[variables.{{ .of }}.?resources.orValue({})].exists(r, r.all(k, k in ['requests', 'limits'])
  && ['requests', 'limits'].all(k, k in r && r[k].all(a, a in ['cpu', 'memory', 'ephemeral-storage']))
  && ['cpu', 'memory'].all(a, a in r.limits && a in r.requests && isQuantity(r.limits[a]) && isQuantity(r.requests[a]))
  && {{ .where }})
{{- end -}}

{{- define "lazaret.policies.checks" -}}
{{- $of := .of -}}{{- $field := .field -}}
(variables.{{ $of }}.?name.orValue('') == '{{ .name }}' ? (
  variables.{{ $of }}.filter(k, !(k in {{ .fields | toJson }})).map(k, '{{ $field }}.' + k)
  {{- range $check := .checks }}
  + ({{ $check.where }} ? [] : ['{{ $field }}.{{ $check.field }}'])
  {{- end }}
) : [])
{{- end -}}

{{- define "lazaret.policies.init" -}}
{{- $values := include "lazaret.policies.document" . | fromYaml -}}
{{- $roots := $values.admission.extraRootsConfigMap -}}
{{- $open := list "LAZARET_CONSTRAINTS" "LAZARET_RESOLVERS" "LAZARET_FILES" -}}
{{- $entries := list
  (dict "name" "LAZARET_UID" "cel" "string(variables.uid)")
  (dict "name" "LAZARET_GID" "cel" "string(variables.gid)")
  (dict "name" "LAZARET_CA_DIR" "value" "/run/lazaret/ca")
  (dict "name" "LAZARET_TRUST_DIR" "value" "/run/lazaret/trust")
  "LAZARET_CONSTRAINTS" "LAZARET_RESOLVERS" -}}
{{- $mounts := list
  (dict "name" "lazaret-trust" "mountPath" "/run/lazaret/trust")
  (dict "name" "lazaret-ca" "mountPath" "/run/lazaret/ca")
  (dict "name" "lazaret-settings" "mountPath" "/run/lazaret/settings") -}}
{{- with $values.network.udpAllowed -}}{{- $entries = append $entries (dict "name" "LAZARET_UDP_ALLOWED" "value" (join "," .)) -}}{{- end -}}
{{- with $roots -}}
{{- $entries = append $entries (dict "name" "LAZARET_EXTRA_ROOTS" "value" (printf "/run/lazaret/extra-roots/%s" (.key | default "ca.crt"))) -}}
{{- $mounts = append $mounts (dict "name" "lazaret-extra-roots" "mountPath" "/run/lazaret/extra-roots" "readOnly" true) -}}
{{- end -}}
{{- $entries = append $entries "LAZARET_FILES" -}}
{{- $security := dict "runAsUser" 0 "runAsGroup" 0 "runAsNonRoot" false "capabilities" (dict "drop" (list "ALL") "add" (list "NET_ADMIN" "CHOWN")) -}}
{{- $amount := "quantity(r.%s.%s).compareTo(quantity(%s)) == 0" -}}
{{- $amounts := list -}}
{{- range $kind := list "requests" "limits" -}}{{- range $name := list "cpu" "memory" -}}
{{- $amounts = append $amounts (printf $amount $kind $name (get (get $values.init.resources $kind) $name | toString | toJson)) -}}
{{- end -}}{{- end -}}
{{- $checks := list
  (dict "field" "image" "where" (include "lazaret.policies.image" (dict "of" "init" "key" "init-image" "image" $values.init.image "registry" $values.global.imageRegistry "previous" (dig "policies" "previousImages" "init" list (.Values | toYaml | fromYaml)))))
  (dict "field" "imagePullPolicy" "where" (printf "variables.init.?imagePullPolicy.orValue('') in ['Always', '%s']" $values.init.image.pullPolicy))
  (dict "field" "env" "where" (include "lazaret.policies.environment" (dict "of" "init" "open" $open "entries" $entries)))
  (dict "field" "env (LAZARET_CONSTRAINTS)" "where" (include "lazaret.policies.value" (dict "of" "init" "name" "LAZARET_CONSTRAINTS" "where" "v.matches('^[A-Za-z0-9.,*-]+$')")))
  (dict "field" "env (LAZARET_RESOLVERS)" "where" (include "lazaret.policies.value" (dict "of" "init" "name" "LAZARET_RESOLVERS" "where" (include "lazaret.policies.resolvers" $values))))
  (dict "field" "env (LAZARET_FILES)" "where" (include "lazaret.policies.value" (dict "of" "init" "name" "LAZARET_FILES" "where" "variables.known.exists(k, k.startsWith('_files') && variables.known[k] == v)")))
  (dict "field" "resources" "where" (include "lazaret.policies.amounts" (dict "of" "init" "where" (join "\n  && " $amounts))))
  (dict "field" "volumeMounts" "where" (include "lazaret.policies.mounts" (dict "of" "init" "mounts" $mounts)))
  (dict "field" "securityContext" "where" (include "lazaret.policies.security" (dict "of" "init" "own" $security)))
  (dict "field" "terminationMessagePath" "where" "variables.init.?terminationMessagePath.orValue('') == '/dev/termination-log'")
  (dict "field" "terminationMessagePolicy" "where" "variables.init.?terminationMessagePolicy.orValue('') == 'FallbackToLogsOnError'") -}}
{{- $fields := list "name" "image" "imagePullPolicy" "env" "resources" "volumeMounts" "securityContext" "terminationMessagePath" "terminationMessagePolicy" -}}
{{- include "lazaret.policies.checks" (dict "of" "init" "field" "spec.initContainers[0]" "name" "lazaret-init" "fields" $fields "checks" $checks) -}}
{{- end -}}

{{/* Where the guard resolves names: the chart's list, or what the controller found in the cluster and wrote down. */}}
{{- define "lazaret.policies.resolvers" -}}
v in {{ empty .network.resolvers | ternary list (list (join "," .network.resolvers)) | toJson }} || variables.known.exists(k, k.startsWith('_resolvers') && variables.known[k] == v)
{{- end -}}

{{- define "lazaret.policies.sidecar" -}}
{{- $values := include "lazaret.policies.document" . | fromYaml -}}
{{- $settings := "/run/lazaret/settings" -}}
{{- $open := list "LAZARET_RESOLVERS" "LAZARET_CHAIN" "LAZARET_LOG_LEVEL" -}}
{{- $entries := list
  (dict "name" "LAZARET_BUNDLE" "value" (printf "%s/bundle.jws" $settings))
  (dict "name" "LAZARET_BUNDLE_KEY" "value" (printf "%s/bundle-keys.jwks" $settings))
  (dict "name" "LAZARET_BUNDLE_URL" "value" $values.controller.bundleUrl)
  (dict "name" "LAZARET_BUNDLE_CA" "value" (printf "%s/release-ca.pem" $settings))
  (dict "name" "LAZARET_CA_DIR" "value" "/run/lazaret/ca")
  (dict "name" "LAZARET_RECIPIENTS" "value" (printf "%s/recipients.jwks" $settings))
  (dict "name" "LAZARET_SPOOL" "value" "/var/lib/lazaret/spool")
  (dict "name" "LAZARET_COLLECTOR" "value" $values.collector.url)
  (dict "name" "LAZARET_COLLECTOR_CA" "value" (printf "%s/release-ca.pem" $settings))
  (dict "name" "LAZARET_ENROL_TOKEN" "value" "/run/lazaret/token/token") -}}
{{- if $values.sidecar.upstreamRoots -}}{{- $entries = append $entries (dict "name" "LAZARET_UPSTREAM_CA" "value" (printf "%s/upstream-roots.pem" $settings)) -}}{{- end -}}
{{- $entries = append $entries "LAZARET_RESOLVERS" -}}
{{- with $values.egress.proxy -}}{{- $entries = append $entries (dict "name" "LAZARET_EGRESS_PROXY" "value" .) -}}{{- end -}}
{{- range $name, $path := dict "1-LAZARET_POD_NAMESPACE" "metadata.namespace" "2-LAZARET_POD_NAME" "metadata.name" "3-LAZARET_POD_UID" "metadata.uid" "4-LAZARET_SERVICE_ACCOUNT" "spec.serviceAccountName" "5-LAZARET_NODE" "spec.nodeName" -}}
{{- $entries = append $entries (dict "name" (substr 2 -1 $name) "ofPod" $path) -}}
{{- end -}}
{{- $entries = concat $entries (list "LAZARET_CHAIN" "LAZARET_LOG_LEVEL") -}}
{{- $mounts := list
  (dict "name" "lazaret-trust" "mountPath" "/run/lazaret/trust" "readOnly" true)
  (dict "name" "lazaret-ca" "mountPath" "/run/lazaret/ca" "readOnly" true)
  (dict "name" "lazaret-settings" "mountPath" $settings)
  (dict "name" "lazaret-spool" "mountPath" "/var/lib/lazaret/spool")
  (dict "name" "lazaret-token" "mountPath" "/run/lazaret/token" "readOnly" true) -}}
{{- $probe := "variables.sidecar.?%s.orValue({}) == %s" -}}
{{- $get := dict "port" 15020 "scheme" "HTTP" -}}
{{- $ready := dict "httpGet" (merge (dict "path" "/readyz") $get) "timeoutSeconds" 2 "successThreshold" 1 "periodSeconds" 1 "failureThreshold" 120 -}}
{{- $alive := dict "httpGet" (merge (dict "path" "/healthz") $get) "timeoutSeconds" 2 "successThreshold" 1 "periodSeconds" 10 "failureThreshold" 6 -}}
{{- $ports := list (dict "name" "lazaret-ops" "containerPort" 15020 "protocol" "TCP") -}}
{{- $checks := list
  (dict "field" "image" "where" (include "lazaret.policies.image" (dict "of" "sidecar" "key" "sidecar-image" "image" $values.sidecar.image "registry" $values.global.imageRegistry "previous" (dig "policies" "previousImages" "sidecar" list (.Values | toYaml | fromYaml)))))
  (dict "field" "imagePullPolicy" "where" (printf "variables.sidecar.?imagePullPolicy.orValue('') in ['Always', '%s']" $values.sidecar.image.pullPolicy))
  (dict "field" "restartPolicy" "where" "variables.sidecar.?restartPolicy.orValue('') == 'Always'")
  (dict "field" "env" "where" (include "lazaret.policies.environment" (dict "of" "sidecar" "open" $open "entries" $entries)))
  (dict "field" "env (LAZARET_RESOLVERS)" "where" (include "lazaret.policies.value" (dict "of" "sidecar" "name" "LAZARET_RESOLVERS" "where" (include "lazaret.policies.resolvers" $values))))
  (dict "field" "env (LAZARET_CHAIN)" "where" (include "lazaret.policies.value" (dict "of" "sidecar" "name" "LAZARET_CHAIN" "where" "v.matches('^[A-Za-z0-9_-]{8,64}$')")))
  (dict "field" "env (LAZARET_LOG_LEVEL)" "where" (include "lazaret.policies.value" (dict "of" "sidecar" "name" "LAZARET_LOG_LEVEL" "where" (printf "v == variables.annotations[?'lazaret.dev/log-level'].orValue(%s)" ($values.sidecar.logLevel | default "info" | toJson)))))
  (dict "field" "ports" "where" (printf "variables.sidecar.?ports.orValue([]) == %s" (include "lazaret.policies.literal" $ports)))
  (dict "field" "resources" "where" (include "lazaret.policies.amounts" (dict "of" "sidecar" "where" (include "lazaret.policies.chosen" $values))))
  (dict "field" "volumeMounts" "where" (include "lazaret.policies.mounts" (dict "of" "sidecar" "mounts" $mounts)))
  (dict "field" "startupProbe" "where" (printf $probe "startupProbe" (include "lazaret.policies.literal" $ready)))
  (dict "field" "livenessProbe" "where" (printf $probe "livenessProbe" (include "lazaret.policies.literal" $alive)))
  (dict "field" "securityContext" "where" "variables.uid >= 20000 && variables.uid <= 59999 && variables.gid >= 20000 && variables.gid <= 59999")
  (dict "field" "securityContext" "where" (include "lazaret.policies.security" (dict "of" "sidecar" "own" (dict "runAsUser" "UID" "runAsGroup" "GID" "runAsNonRoot" true "capabilities" (dict "drop" (list "ALL")))) | replace "\"UID\"" "variables.uid" | replace "\"GID\"" "variables.gid"))
  (dict "field" "terminationMessagePath" "where" "variables.sidecar.?terminationMessagePath.orValue('') == '/dev/termination-log'")
  (dict "field" "terminationMessagePolicy" "where" "variables.sidecar.?terminationMessagePolicy.orValue('') == 'FallbackToLogsOnError'") -}}
{{- $fields := list "name" "image" "imagePullPolicy" "restartPolicy" "env" "ports" "resources" "volumeMounts" "startupProbe" "livenessProbe" "securityContext" "terminationMessagePath" "terminationMessagePolicy" -}}
{{- include "lazaret.policies.checks" (dict "of" "sidecar" "field" "spec.initContainers[1]" "name" "lazaret-sidecar" "fields" $fields "checks" $checks) -}}
{{- end -}}

{{/* The sidecar's amounts: the author's choice is its limit, rounded up as the controller rounds; a request is never above its limit. */}}
{{- define "lazaret.policies.chosen" -}}
{{- $resources := .sidecar.resources -}}
{{- $conditions := list -}}
{{- range $name, $step := dict "cpu" "1m" "memory" "1" -}}
{{- $limit := get $resources.limits $name | toString | toJson -}}
{{- $request := get $resources.requests $name | toString | toJson -}}
{{- $conditions = append $conditions (printf "[variables.annotations[?'lazaret.dev/sidecar-%s'].orValue(%s)].exists(w, isQuantity(w) && quantity(r.limits.%s).compareTo(quantity(w)) >= 0 && quantity(r.limits.%s).sub(quantity('%s')).compareTo(quantity(w)) < 0)" $name $limit $name $name $step) -}}
{{- $conditions = append $conditions (printf "quantity(r.requests.%s).compareTo(quantity(%s).compareTo(quantity(r.limits.%s)) <= 0 ? quantity(%s) : quantity(r.limits.%s)) == 0" $name $request $name $request $name) -}}
{{- end -}}
{{ join "\n  && " $conditions }}
{{- end -}}

{{- define "lazaret.policies.volumes" -}}
{{- $values := include "lazaret.policies.document" . | fromYaml -}}
{{- $volumes := list
  (dict "name" "lazaret-trust" "emptyDir" (dict "medium" "Memory" "sizeLimit" "32Mi"))
  (dict "name" "lazaret-ca" "emptyDir" (dict "medium" "Memory" "sizeLimit" "4Mi"))
  (dict "name" "lazaret-settings" "emptyDir" (dict "medium" "Memory" "sizeLimit" "16Mi"))
  (dict "name" "lazaret-spool" "emptyDir" (dict "sizeLimit" "384Mi"))
  (dict "name" "lazaret-token" "projected" (dict "defaultMode" 292 "sources" (list (dict "serviceAccountToken" (dict "audience" "lazaret.dev" "expirationSeconds" 3600 "path" "token"))))) -}}
{{- with $values.admission.extraRootsConfigMap -}}
{{- $key := .key | default "ca.crt" -}}
{{- $volumes = append $volumes (dict "name" "lazaret-extra-roots" "configMap" (dict "name" .name "defaultMode" 292 "items" (list (dict "key" $key "path" $key)))) -}}
{{- end -}}
{{- $names := list -}}
{{- range $i, $volume := $volumes -}}
{{- $names = append $names $volume.name }}{{ if $i }}
+ {{ end }}(variables.volumes.exists(v, v == {{ include "lazaret.policies.literal" $volume }}) ? [] : ['spec.volumes ({{ $volume.name }})'])
{{- end }}
+ variables.volumes.filter(v, v.name in variables.ourVolumes && !(v.name in {{ toJson $names }})).map(v, 'spec.volumes (' + v.name + ')')
{{- end -}}
