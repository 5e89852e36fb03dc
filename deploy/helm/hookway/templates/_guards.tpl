{{/*
Mistakes that a schema can't see, each told with its way out before anything reaches the cluster.
*/}}

{{- define "hookway.guards" -}}
{{- include "hookway.guardConfig" . }}
{{- include "hookway.guardPlain" (dict "value" .Values.config "key" "" "path" "config") }}
{{- include "hookway.guardSecrets" . }}
{{- include "hookway.guardState" . }}
{{- include "hookway.guardVolumes" . }}
{{- include "hookway.guardTimes" . }}
{{- include "hookway.guardIngress" . }}
{{- end }}

{{- define "hookway.guardConfig" -}}
{{- if and .Values.existingConfigMap (or .Values.config.sources .Values.config.sinks .Values.config.routes) }}
{{- fail "existingConfigMap and config are both given: move the configuration into the one or the other" }}
{{- end }}
{{- if and .Values.config.sinks (not .Values.config.quarantine) }}
{{- fail "config.quarantine is missing: once config.sinks is given, name the sink for events that can't be mapped, routed or published, as config.quarantine: {sink: NAME}" }}
{{- end }}
{{- with .Values.config.quarantine }}{{ include "hookway.guardTarget" (list $ . "config.quarantine") }}{{ end }}
{{- range $index, $route := .Values.config.routes }}
{{- $path := printf "config.routes[%d].to" $index }}
{{- if kindIs "slice" $route.to }}
{{- range $n, $target := $route.to }}{{ include "hookway.guardTarget" (list $ $target (printf "%s[%d]" $path $n)) }}{{ end }}
{{- else if kindIs "map" $route.to }}
{{- include "hookway.guardTarget" (list $ $route.to $path) }}
{{- end }}
{{- end }}
{{- end }}

{{/* A target, of [root, target, path], that names no sink. */}}
{{- define "hookway.guardTarget" -}}
{{- $sinks := default dict (index . 0).Values.config.sinks }}
{{- $sink := (index . 1).sink }}
{{- if and $sinks (not (hasKey $sinks $sink)) }}
{{- fail (printf "%s.sink is %s, which config.sinks does not name: the sinks are %s" (index . 2) $sink (keys $sinks | sortAlpha | join ", ")) }}
{{- end }}
{{- end }}

{{/* A secret in plain text, which would stand in a ConfigMap and in the release. It is not printed; the schema leaves
these places to this guard because its messages print what they refuse. */}}
{{- define "hookway.guardPlain" -}}
{{- $path := .path }}
{{- if kindIs "map" .value }}
{{- range $key, $value := .value }}
{{- include "hookway.guardPlain" (dict "value" $value "key" $key "path" (printf "%s.%s" $path $key)) }}
{{- end }}
{{- else if kindIs "slice" .value }}
{{- $key := .key }}
{{- range $index, $value := .value }}
{{- include "hookway.guardPlain" (dict "value" $value "key" $key "path" (printf "%s[%d]" $path $index)) }}
{{- end }}
{{- else if kindIs "string" .value }}
{{- $secret := or (regexMatch "(?i)secret|password|passphrase|key\\.pem|oauthbearer\\.config" .key) (regexMatch "^config\\.sinks\\..*\\.nats\\.(token|nkey)$" $path) }}
{{- if and $secret (not (regexMatch "^(env|file):." .value)) }}
{{- fail (printf "%s is no reference: put the secret into a Secret and write file:/run/secrets/hookway/NAME or env:NAME" $path) }}
{{- end }}
{{- if or (regexMatch "://[^/?#]*@" .value) (and (has .key (list "brokers" "servers")) (contains "@" .value)) }}
{{- fail (printf "%s holds a user or a password (it is not shown): name them beside it, by reference, as sasl.password or password: file:/run/secrets/hookway/NAME" $path) }}
{{- end }}
{{- end }}
{{- end }}

{{/* A file below the secrets directory that no mounted Secret provides; a Secret without items may provide any. */}}
{{- define "hookway.guardSecrets" -}}
{{- $dir := include "hookway.secretsDir" . }}
{{- $provided := keys .Values.secrets.create }}
{{- $open := false }}
{{- range .Values.secrets.existing }}
{{- if .items }}{{ range .items }}{{ $provided = append $provided .path }}{{ end }}{{ else }}{{ $open = true }}{{ end }}
{{- end }}
{{- if not $open }}
{{- range regexFindAll (printf "%s/[^\"\\s,]+" $dir) (toJson .Values.config) -1 | uniq }}
{{- $file := trimPrefix (printf "%s/" $dir) . }}
{{- if not (has $file $provided) }}
{{- fail (printf "config names the file %s, which no Secret provides: add {name: SECRET, items: [{key: KEY, path: %s}]} to secrets.existing, or for a trial secrets.create.%s" . $file $file) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "hookway.guardIngress" -}}
{{- if .Values.ingress.enabled }}
{{- if .Values.existingConfigMap }}
{{- fail "ingress.enabled with existingConfigMap: its sources are unknown here. Use config, or write the Ingress yourself" }}
{{- end }}
{{- if not .Values.config.sources }}
{{- fail "ingress.enabled without config.sources: there is no path to offer; add a source" }}
{{- end }}
{{- if not .Values.ingress.hosts }}
{{- fail "ingress.enabled without ingress.hosts: add the host name that senders use, as ingress.hosts: [hooks.example.com]" }}
{{- end }}
{{- end }}
{{- end }}
