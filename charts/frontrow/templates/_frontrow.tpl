{{/* The Service of the gateway, and where it is inside the cluster. */}}
{{- define "frontrow.gateway" -}}
{{ .Release.Name }}-api-gateway
{{- end }}

{{- define "frontrow.url" -}}
http://{{ include "frontrow.gateway" . }}.{{ .Release.Namespace }}.svc:{{ (index .Values "api-gateway").service.port }}/api/v1
{{- end }}
