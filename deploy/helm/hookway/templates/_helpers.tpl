{{/*
Names, labels and addresses shared by all objects, and the three directories that Hookway sees.
*/}}

{{/* Where the configuration is mounted. */}}
{{- define "hookway.configDir" -}}/etc/hookway{{- end }}

{{/* Where secrets are mounted, one file each. */}}
{{- define "hookway.secretsDir" -}}/run/secrets/hookway{{- end }}

{{/* The one directory that may be written, and the working directory. */}}
{{- define "hookway.stateDir" -}}/var/lib/hookway{{- end }}

{{- define "hookway.chartName" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of all objects; 54 characters leave room for the longest suffix. */}}
{{- define "hookway.fullname" -}}
{{- $name := include "hookway.chartName" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 54 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 54 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 54 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "hookway.adminName" -}}
{{- printf "%s-admin" (include "hookway.fullname" .) }}
{{- end }}

{{/* These never change: a Deployment's selector is immutable. */}}
{{- define "hookway.selectorLabels" -}}
app.kubernetes.io/name: {{ include "hookway.chartName" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: bridge
{{- end }}

{{/* The admin objects differ in their component, so that a ServiceMonitor finds one Service only. */}}
{{- define "hookway.adminSelectorLabels" -}}
app.kubernetes.io/name: {{ include "hookway.chartName" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: admin
{{- end }}

{{- define "hookway.labels" -}}
{{- include "hookway.mergedLabels" (list . "hookway.selectorLabels" dict) }}
{{- end }}

{{- define "hookway.adminLabels" -}}
{{- include "hookway.mergedLabels" (list . "hookway.adminSelectorLabels" dict) }}
{{- end }}

{{/* All labels of an object: [root, selector labels' template, labels of this object]. Merged, so that no key stands
twice; the chart's own win. */}}
{{- define "hookway.mergedLabels" -}}
{{- $root := index . 0 }}
{{- $own := merge (fromYaml (include (index . 1) $root)) (fromYaml (include "hookway.releaseLabels" $root)) }}
{{- toYaml (merge $own (deepCopy (index . 2)) (deepCopy $root.Values.commonLabels)) }}
{{- end }}

{{- define "hookway.releaseLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: hookway
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end }}

{{- define "hookway.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "hookway.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "hookway.configMapName" -}}
{{- default (include "hookway.fullname" .) .Values.existingConfigMap }}
{{- end }}

{{- define "hookway.image" -}}
{{- $registry := default .Values.image.registry (.Values.global).imageRegistry }}
{{- with $registry }}{{ . }}/{{ end }}{{ .Values.image.repository }}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ default .Chart.AppVersion .Values.image.tag }}{{ end }}
{{- end }}

{{/* The address families of a Service. */}}
{{- define "hookway.families" -}}
{{- with .Values.ipFamilyPolicy }}
ipFamilyPolicy: {{ . }}
{{- end }}
{{- with .Values.ipFamilies }}
ipFamilies:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Bytes of a size as Kubernetes (10Gi) or Hookway (8GiB, 8GB) writes it. */}}
{{- define "hookway.bytes" -}}
{{- $text := toString . | trim }}
{{- $unit := regexReplaceAll "^[0-9.]+ *" $text "" | lower | trimSuffix "b" }}
{{- $factors := dict "" 1 "k" 1000 "m" 1000000 "g" 1000000000 "t" 1000000000000 "p" 1000000000000000 "ki" 1024 "mi" 1048576 "gi" 1073741824 "ti" 1099511627776 "pi" 1125899906842624 }}
{{- if not (hasKey $factors $unit) }}{{ fail (printf "%s is no size: write it as 8Gi" $text) }}{{ end }}
{{- mulf (regexFind "^[0-9.]+" $text | float64) (index $factors $unit | float64) | floor | int64 }}
{{- end }}

{{/* Seconds of a duration as Hookway (5s, 1h 30m, 250ms) or Prometheus writes it. */}}
{{- define "hookway.seconds" -}}
{{- $sum := 0.0 }}
{{- range regexFindAll "[0-9.]+ *[A-Za-z]+" (toString .) -1 }}
{{- $unit := regexReplaceAll "^[0-9.]+ *" . "" | lower }}
{{- $factor := 1.0 }}
{{- if or (hasPrefix "ms" $unit) (hasPrefix "mil" $unit) }}{{ $factor = 0.001 }}
{{- else if hasPrefix "d" $unit }}{{ $factor = 86400.0 }}
{{- else if hasPrefix "h" $unit }}{{ $factor = 3600.0 }}
{{- else if hasPrefix "m" $unit }}{{ $factor = 60.0 }}
{{- else if not (hasPrefix "s" $unit) }}{{ $factor = 0.0 }}{{ end }}
{{- $sum = addf $sum (mulf (regexFind "^[0-9.]+" . | float64) $factor) }}
{{- end }}
{{- $sum }}
{{- end }}
