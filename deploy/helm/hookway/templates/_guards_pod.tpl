{{/*
Mistakes in what surrounds the configuration: volumes whose end takes acknowledged events along, mounts, times.
*/}}

{{/* What is kept must outlive the pod, unless its loss was asked for by name, and one process owns it. */}}
{{- define "hookway.guardState" -}}
{{- if and (include "hookway.persistent" .) (gt (int .Values.replicaCount) 1) }}
{{- fail "persistence.enabled with replicaCount above 1: one process owns a journal. Set replicaCount: 1, or persistence.enabled: false and send quarantined events to a broker" }}
{{- end }}
{{- range (fromYaml (include "hookway.kept" .)).kept }}
{{- $volume := include "hookway.volumeOf" (list $ .path) }}
{{- if not $volume }}
{{- fail (printf "%s stands at %s, which is read-only: use a directory below /var/lib/hookway, or mount a volume there by extraVolumeMounts" .name .path) }}
{{- end }}
{{- $ends := and (eq $volume "state") (not (include "hookway.persistent" $)) }}
{{- $shared := false }}
{{- range $.Values.extraVolumes }}
{{- if eq .name $volume }}
{{- if or (hasKey . "emptyDir") (hasKey . "ephemeral") }}{{ $ends = true }}{{ else }}{{ $shared = true }}{{ end }}
{{- end }}
{{- end }}
{{- if and $ends (not $.Values.persistence.eventsEndWithThePod) }}
{{- fail (printf "%s stands at %s, which ends with the pod, and with it %s. Set persistence.enabled: true and replicaCount: 1, or send those events to a broker; where that loss is meant, as in a trial, set persistence.eventsEndWithThePod: true" .name .path .what) }}
{{- end }}
{{- if and $shared (gt (int $.Values.replicaCount) 1) }}
{{- fail (printf "%s stands at %s, a volume that all replicas share: one process owns a journal. Set replicaCount: 1, or send those events to a broker" .name .path) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "hookway.guardVolumes" -}}
{{- $names := list }}
{{- range .Values.extraVolumes }}
{{- if has .name (list "config" "secrets" "state") }}
{{- fail (printf "extraVolumes has a volume called %s, which the chart has too: choose another name" .name) }}
{{- end }}
{{- $names = append $names .name }}
{{- end }}
{{- range .Values.extraVolumeMounts }}
{{- if not (has .name $names) }}
{{- fail (printf "extraVolumeMounts mounts %s, which extraVolumes does not name: add the volume" .name) }}
{{- end }}
{{- end }}
{{- end }}

{{/* SIGKILL must not come into the drain, and a scrape must end before the next one begins. */}}
{{- define "hookway.guardTimes" -}}
{{- if not .Values.existingConfigMap }}
{{- $config := fromYaml (include "hookway.config" .) }}
{{- $delay := include "hookway.seconds" $config.limits.drain_delay | float64 }}
{{- $timeout := include "hookway.seconds" $config.limits.drain_timeout | float64 }}
{{- $flush := mul 5 (max 1 (len (default dict $config.sinks))) }}
{{- $needed := addf $delay $timeout $flush | ceil | int }}
{{- if lt (int .Values.terminationGracePeriodSeconds) $needed }}
{{- fail (printf "terminationGracePeriodSeconds is %d, but a drain may take %d: config.limits.drain_delay (%v), drain_timeout (%v), and 5 s to flush each sink. Raise the one or lower the others" (int .Values.terminationGracePeriodSeconds) $needed $config.limits.drain_delay $config.limits.drain_timeout) }}
{{- end }}
{{- end }}
{{- with .Values.metrics.serviceMonitor }}
{{- if gt (include "hookway.seconds" .scrapeTimeout | float64) (include "hookway.seconds" .interval | float64) }}
{{- fail (printf "metrics.serviceMonitor.scrapeTimeout (%s) is longer than its interval (%s), which Prometheus refuses: lower it" .scrapeTimeout .interval) }}
{{- end }}
{{- end }}
{{- end }}
