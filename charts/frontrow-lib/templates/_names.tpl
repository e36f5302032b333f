{{/*
Names and labels. They take a chart's own context; everything else in this library takes a service, the dict that
_service.tpl explains.
*/}}

{{- define "frontrow-lib.fullname" -}}
{{ .Release.Name }}-{{ .Chart.Name }}
{{- end }}

{{/* What selects a service's pods. It can't change once a Deployment is there. */}}
{{- define "frontrow-lib.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* What a pod wears. Not the chart's version: a new chart alone must not restart anything. */}}
{{- define "frontrow-lib.podLabels" -}}
{{ include "frontrow-lib.selectorLabels" . }}
app.kubernetes.io/part-of: frontrow
app.kubernetes.io/version: {{ include "frontrow-lib.version" . | quote }}
{{- end }}

{{- define "frontrow-lib.labels" -}}
{{ include "frontrow-lib.podLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "frontrow-lib.version" -}}
{{ .Values.global.version | default .Chart.AppVersion }}
{{- end }}

{{- define "frontrow-lib.image" -}}
{{ .Values.global.images.prefix }}/{{ .Chart.Name }}:{{ include "frontrow-lib.version" . }}
{{- end }}

{{/* Where a service's ready pods are found by DNS: (list context service). */}}
{{- define "frontrow-lib.host" -}}
{{- $release := (index . 0).Release -}}
{{ $release.Name }}-{{ index . 1 }}-headless.{{ $release.Namespace }}.svc
{{- end }}

{{/* The Secret with the keys that the services sign with, and the admin's password. */}}
{{- define "frontrow-lib.keysSecret" -}}
{{ .Values.global.keys.existingSecret | default (printf "%s-keys" .Release.Name) }}
{{- end }}

{{/* Not empty when an autoscaler decides how many replicas there are. */}}
{{- define "frontrow-lib.autoscaled" -}}
{{- if and .Values.autoscaling .Values.autoscaling.enabled }}true{{ end }}
{{- end }}
