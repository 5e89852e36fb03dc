{{/*
What Hookway keeps: where it stands, whether it outlives the pod, and how large it may grow.
*/}}

{{/* Not empty where /var/lib/hookway is a volume claim. */}}
{{- define "hookway.persistent" -}}
{{- if or .Values.persistence.enabled .Values.persistence.existingClaim }}true{{ end }}
{{- end }}

{{- define "hookway.claimName" -}}
{{- default (include "hookway.fullname" .) .Values.persistence.existingClaim }}
{{- end }}

{{/* Not empty where /var/lib/hookway can be written at all. An emptyDir is mounted only where its loss was asked for,
and where there is no source, so that nothing is acknowledged: else what a configuration keeps there by mistake, also in
a ConfigMap of one's own, keeps the pod from starting instead of ending with it. */}}
{{- define "hookway.writable" -}}
{{- $idle := not (or .Values.existingConfigMap .Values.config.sources .Values.config.sinks) }}
{{- if or (include "hookway.persistent" .) .Values.persistence.eventsEndWithThePod $idle }}true{{ end }}
{{- end }}

{{/* Not empty where no sink is configured: Hookway then keeps all events in two journals of its own. */}}
{{- define "hookway.embedded" -}}
{{- if and .Values.config.sources (not .Values.config.sinks) }}true{{ end }}
{{- end }}

{{/* A path as the pod sees it: relative ones stand below the working directory. */}}
{{- define "hookway.path" -}}
{{- ternary . (printf "%s/%s" (include "hookway.stateDir" $) .) (hasPrefix "/" .) | clean }}
{{- end }}

{{/* What is kept, as YAML: the value's name, its path, and what is lost with it. */}}
{{- define "hookway.kept" -}}
kept:
{{- if include "hookway.embedded" . }}
  - {name: "config.sinks is empty, so that the journal", path: {{ include "hookway.stateDir" . }}/hookway-data, what: every event that was answered 2xx}
{{- end }}
{{- range $name, $sink := .Values.config.sinks }}
{{- with $sink.journal }}
  - {name: {{ printf "config.sinks.%s.journal.dir" $name | quote }}, path: {{ include "hookway.path" .dir | quote }}, what: every event that was answered 2xx}
{{- end }}
{{- end }}
{{- range $name, $source := .Values.config.sources }}
{{- with $source.capture }}
  - {name: {{ printf "config.sources.%s.capture.file" $name | quote }}, path: {{ include "hookway.path" .file | quote }}, what: the secret that the sender hands over once}
{{- end }}
{{- end }}
{{- end }}

{{/* The name of the volume that a path stands on, of [root, path]: the mount that is nearest. Empty: read-only. */}}
{{- define "hookway.volumeOf" -}}
{{- $root := index . 0 }}
{{- $path := index . 1 }}
{{- $best := "" }}
{{- $volume := "" }}
{{- range append (default list $root.Values.extraVolumeMounts) (dict "name" "state" "mountPath" (include "hookway.stateDir" $root)) }}
{{- $mount := printf "%s/" (trimSuffix "/" .mountPath) }}
{{- if and (hasPrefix $mount (printf "%s/" $path)) (gt (len $mount) (len $best)) }}
{{- $best = $mount }}
{{- $volume = ternary "" .name (default false .readOnly) }}
{{- end }}
{{- end }}
{{- $volume }}
{{- end }}

{{/* Bytes that the journals in /var/lib/hookway may take together: a tenth stays free, so that a journal ends by its own
bound (503) and never by the volume's, at which an emptyDir's pod is evicted. Empty where the size is not known. */}}
{{- define "hookway.room" -}}
{{- $size := .Values.persistence.emptyDirSizeLimit }}
{{- if include "hookway.persistent" . }}{{ $size = ternary "" .Values.persistence.size (not (empty .Values.persistence.existingClaim)) }}{{ end }}
{{- with $size }}{{ mulf 0.9 (include "hookway.bytes" . | float64) | floor | int64 }}{{ end }}
{{- end }}

{{/* Sinks with a bound for each journal in /var/lib/hookway, as YAML, of [root, sinks]: what is given, and for the
others an equal part of what is left. */}}
{{- define "hookway.boundedSinks" -}}
{{- $root := index . 0 }}
{{- $sinks := deepCopy (index . 1) }}
{{- $room := include "hookway.room" $root }}
{{- $given := 0 }}
{{- $open := list }}
{{- range $name, $sink := $sinks }}
{{- with $sink.journal }}
{{- if eq (include "hookway.volumeOf" (list $root (include "hookway.path" .dir))) "state" }}
{{- if .max_bytes }}{{ $given = add $given (include "hookway.bytes" .max_bytes | int64) }}{{ else }}{{ $open = append $open $name }}{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- if and $room (gt (int64 $given) (int64 $room)) }}
{{- fail (printf "the journals' max_bytes are %d MiB together, more than nine tenths of their volume: lower them, or raise persistence.%s" (div $given 1048576) (ternary "size" "emptyDirSizeLimit" (not (empty (include "hookway.persistent" $root))))) }}
{{- end }}
{{- if and $room $open }}
{{- $each := div (sub (int64 $room) (int64 $given)) (mul (len $open) 1048576) }}
{{- if lt (int64 $each) 1 }}{{ fail "the journals' max_bytes leave no room for a journal without one: give each its own" }}{{ end }}
{{- range $open }}{{ $_ := set (index $sinks .).journal "max_bytes" (printf "%dMiB" $each) }}{{ end }}
{{- end }}
{{- toYaml $sinks }}
{{- end }}

{{/* The configuration as Hookway reads it: what was given, the two addresses, the two times that
terminationGracePeriodSeconds is held to, and a bound for each journal. */}}
{{- define "hookway.config" -}}
{{- $config := dict "listen" "[::]:8080" "admin" "[::]:9090" }}
{{- range $key, $value := .Values.config }}
{{- if $value }}{{ $_ := set $config $key $value }}{{ end }}
{{- end }}
{{- $_ := set $config "limits" (merge (deepCopy (default dict .Values.config.limits)) (dict "drain_delay" "5s" "drain_timeout" "30s")) }}
{{- if include "hookway.embedded" . }}
{{- $journals := dict }}
{{- range list "journal" "quarantine" }}{{ $_ := set $journals . (dict "journal" (dict "dir" (printf "hookway-data/%s" .))) }}{{ end }}
{{- $_ := set $config "sinks" $journals }}
{{- $_ := set $config "routes" (default (list (dict "to" (dict "sink" "journal"))) .Values.config.routes) }}
{{- $_ := set $config "quarantine" (default (dict "sink" "quarantine") .Values.config.quarantine) }}
{{- end }}
{{- with $config.sinks }}{{ $_ := set $config "sinks" (fromYaml (include "hookway.boundedSinks" (list $ .))) }}{{ end }}
{{- toYaml $config }}
{{- end }}
