{{/*
Mistakes that a schema can't see, each told with its way out before anything reaches the cluster.
*/}}

{{- define "hookway.guards" -}}
{{- include "hookway.guardConfig" . }}
{{- include "hookway.guardSecrets" . }}
{{- include "hookway.guardState" . }}
{{- include "hookway.guardIngress" . }}
{{- end }}

{{- define "hookway.guardConfig" -}}
{{- if and .Values.existingConfigMap (or .Values.config.sources .Values.config.sinks .Values.config.routes) }}
{{- fail "existingConfigMap and config are both given: move the configuration into the one or the other" }}
{{- end }}
{{- if and .Values.config.sinks (not .Values.config.quarantine) }}
{{- fail "config.quarantine is missing: once config.sinks is given, name the sink for events that can't be mapped, routed or published, as config.quarantine: {sink: NAME}" }}
{{- end }}
{{- end }}

{{/* A secret in plain text, which is not printed, and a file below the secrets directory that no mounted Secret
provides; a Secret without items may provide any. */}}
{{- define "hookway.guardSecrets" -}}
{{- range $name, $source := .Values.config.sources }}
{{- range $index, $secret := $source.secrets }}
{{- if not (regexMatch "^(env|file):." $secret) }}
{{- fail (printf "config.sources.%s.secrets[%d] is no reference: put the secret into a Secret and write file:/run/secrets/hookway/NAME or env:NAME" $name $index) }}
{{- end }}
{{- end }}
{{- end }}
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

{{/* One process owns a journal, and only one directory of the file system can be written. */}}
{{- define "hookway.guardState" -}}
{{- if and .Values.persistence.enabled (gt (int .Values.replicaCount) 1) }}
{{- fail "persistence.enabled with replicaCount above 1: one process owns a journal. Set replicaCount: 1, or persistence.enabled: false and send quarantined events to a broker" }}
{{- end }}
{{- $writable := list (include "hookway.stateDir" .) }}
{{- range .Values.extraVolumeMounts }}{{ $writable = append $writable .mountPath }}{{ end }}
{{- range $name, $sink := .Values.config.sinks }}
{{- with $sink.journal }}
{{- $dir := .dir }}
{{- $found := not (hasPrefix "/" $dir) }}
{{- range $writable }}{{ if hasPrefix (printf "%s/" (trimSuffix "/" .)) (printf "%s/" $dir) }}{{ $found = true }}{{ end }}{{ end }}
{{- if not $found }}
{{- fail (printf "config.sinks.%s.journal.dir is %s, which is read-only: use a directory below /var/lib/hookway, or mount a volume there by extraVolumeMounts" $name $dir) }}
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
