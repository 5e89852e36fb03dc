{{/*
The pod: one container without rights, its configuration and secrets as files, one directory to write into.
*/}}

{{/* A changed configuration rolls the pods; a changed Secret does not, because Hookway reads it again. */}}
{{- define "hookway.podAnnotations" -}}
{{- $annotations := dict }}
{{- if not .Values.existingConfigMap }}
{{- $_ := set $annotations "checksum/config" (include "hookway.config" . | sha256sum) }}
{{- end }}
{{- with merge $annotations .Values.podAnnotations }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{- define "hookway.pod" -}}
serviceAccountName: {{ include "hookway.serviceAccountName" . | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with concat .Values.image.pullSecrets ((.Values.global).imagePullSecrets | default list) }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
containers:
  {{- include "hookway.container" . | nindent 2 }}
volumes:
  {{- include "hookway.volumes" . | nindent 2 }}
{{- include "hookway.scheduling" . }}
{{- end }}

{{- define "hookway.container" -}}
- name: hookway
  image: {{ include "hookway.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command:
    - hookway
  args:
    - run
    - --config
    - {{ include "hookway.configDir" . }}/hookway.yaml
  workingDir: {{ include "hookway.stateDir" . }}
  {{- with .Values.extraEnv }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.extraEnvFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    - name: http
      containerPort: 8080
      protocol: TCP
    - name: admin
      containerPort: 9090
      protocol: TCP
  {{- /* Only readiness may ask for more than a process that answers: a kill brings no broker back. */}}
  {{- range $probe, $path := dict "startupProbe" "/livez" "readinessProbe" "/readyz" "livenessProbe" "/livez" }}
  {{- with index $.Values $probe }}
  {{ $probe }}:
    httpGet:
      path: {{ $path }}
      port: admin
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    {{- toYaml .Values.containerSecurityContext | nindent 4 }}
  volumeMounts:
    - name: config
      mountPath: {{ include "hookway.configDir" . }}
      readOnly: true
    {{- if or .Values.secrets.existing .Values.secrets.create }}
    - name: secrets
      mountPath: {{ include "hookway.secretsDir" . }}
      readOnly: true
    {{- end }}
    {{- if include "hookway.writable" . }}
    - name: state
      mountPath: {{ include "hookway.stateDir" . }}
    {{- end }}
    {{- with .Values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "hookway.volumes" -}}
- name: config
  configMap:
    name: {{ include "hookway.configMapName" . | quote }}
{{- if or .Values.secrets.existing .Values.secrets.create }}
- name: secrets
  projected:
    # 0440: readable by the pod's group alone.
    defaultMode: 288
    sources:
      {{- range .Values.secrets.existing }}
      - secret:
          {{- toYaml . | nindent 10 }}
      {{- end }}
      {{- if .Values.secrets.create }}
      - secret:
          name: {{ printf "%s-trial" (include "hookway.fullname" .) | quote }}
      {{- end }}
{{- end }}
{{- if include "hookway.writable" . }}
- name: state
  {{- if include "hookway.persistent" . }}
  persistentVolumeClaim:
    claimName: {{ include "hookway.claimName" . | quote }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ .Values.persistence.emptyDirSizeLimit | quote }}
  {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "hookway.scheduling" }}
topologySpreadConstraints:
  {{- with .Values.topologySpreadConstraints }}
  {{- toYaml . | nindent 2 }}
  {{- else }}
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "hookway.selectorLabels" $ | nindent 8 }}
  {{- end }}
  {{- end }}
{{- range $key := list "affinity" "nodeSelector" "tolerations" }}
{{- with index $.Values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end }}
