{{/*
Names and labels shared by all objects, and the three directories that Hookway sees.
*/}}

{{/* Where the configuration is mounted. */}}
{{- define "hookway.configDir" -}}/etc/hookway{{- end }}

{{/* Where secrets are mounted, one file each. */}}
{{- define "hookway.secretsDir" -}}/run/secrets/hookway{{- end }}

{{/* The one directory that can be written, and the working directory. */}}
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

{{/* These never change: a Deployment's selector is immutable. */}}
{{- define "hookway.selectorLabels" -}}
app.kubernetes.io/name: {{ include "hookway.chartName" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: bridge
{{- end }}

{{- define "hookway.labels" -}}
{{ include "hookway.selectorLabels" . }}
{{ include "hookway.releaseLabels" . }}
{{- end }}

{{/* The admin objects differ in their component, so that a ServiceMonitor finds one Service only. */}}
{{- define "hookway.adminSelectorLabels" -}}
app.kubernetes.io/name: {{ include "hookway.chartName" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: admin
{{- end }}

{{- define "hookway.adminLabels" -}}
{{ include "hookway.adminSelectorLabels" . }}
{{ include "hookway.releaseLabels" . }}
{{- end }}

{{- define "hookway.releaseLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: hookway
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
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

{{- define "hookway.claimName" -}}
{{- default (include "hookway.fullname" .) .Values.persistence.existingClaim }}
{{- end }}

{{- define "hookway.image" -}}
{{- $registry := default .Values.image.registry (.Values.global).imageRegistry }}
{{- with $registry }}{{ . }}/{{ end }}{{ .Values.image.repository }}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ default .Chart.AppVersion .Values.image.tag }}{{ end }}
{{- end }}

{{/* The configuration as Hookway reads it: what was given, and the two addresses that the chart settles. */}}
{{- define "hookway.config" -}}
{{- $config := dict "listen" "0.0.0.0:8080" "admin" "0.0.0.0:9090" }}
{{- range $key, $value := .Values.config }}
{{- if $value }}{{ $_ := set $config $key $value }}{{ end }}
{{- end }}
{{- toYaml $config }}
{{- end }}
