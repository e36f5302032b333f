{{/* The environment of a service, and of its migration. docs/reference.md explains the variables. */}}
{{- define "frontrow-lib.env" -}}
{{- $global := .root.Values.global -}}
# These come first: the values below may use them.
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
# Go's heap stays within the request. What is between that and the limit is for stacks and for what C allocates (Kafka's
# client), which Go does not count.
- name: GOMEMLIMIT
  valueFrom: {resourceFieldRef: {resource: requests.memory}}
# Rounded up to whole processors.
- name: GOMAXPROCS
  valueFrom: {resourceFieldRef: {resource: limits.cpu}}
- {name: HTTP_ADDR, value: ":{{ .http }}"}
- {name: ADMIN_ADDR, value: ":{{ .admin }}"}
- {name: INSTANCE_ID, value: $(POD_NAME)}
- {name: ADVERTISE_ADDR, value: "$(POD_IP):{{ .http }}"}
- {name: LOG_LEVEL, value: {{ $global.logLevel }}}
- {name: DRAIN_DELAY, value: {{ $global.drainSeconds }}s}
# Consul's own: not there when Consul knows no tokens.
{{ include "frontrow-lib.env.from" (dict "variable" "CONSUL_HTTP_TOKEN" "secret" $global.backends.secret "key" "consul-token" "optional" true) }}
{{- if $global.consul.caSecret }}
- {name: CONSUL_HTTP_SSL, value: "true"}
- {name: CONSUL_CACERT, value: /etc/frontrow/authorities/consul.crt}
{{- end }}
{{- with .calls }}
# For when the ConfigMap names no Consul.
- {name: DISCOVERY_DNS, value: {{ include "frontrow-lib.dnsNames" $ | quote }}}
{{- end }}
{{- with $global.traces.endpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- range .backends }}
{{- include (printf "frontrow-lib.env.%s" .) $ | nindent 0 }}
{{- end }}
{{- with .env }}
{{- . | nindent 0 }}
{{- end }}
{{- end }}

{{/* An environment variable from a Secret: variable, secret, key, optional. */}}
{{- define "frontrow-lib.env.from" -}}
- name: {{ .variable }}
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ .key }}{{ if .optional }}, optional: true{{ end }}}}
{{- end }}

{{/* One from the Secret with our keys: (list context variable key). */}}
{{- define "frontrow-lib.env.key" -}}
{{ include "frontrow-lib.env.from" (dict "variable" (index . 1) "secret" (include "frontrow-lib.keysSecret" (index . 0)) "key" (index . 2)) }}
{{- end }}

{{/* The services that one calls, as service=host:port, for discovery by Kubernetes' DNS. */}}
{{- define "frontrow-lib.dnsNames" -}}
{{- $names := list -}}
{{- range $service, $port := .calls -}}
{{- $names = append $names (printf "%s=%s:%v" $service (include "frontrow-lib.host" (list $.root $service)) $port) -}}
{{- end -}}
{{- join "," $names -}}
{{- end }}

{{- define "frontrow-lib.env.postgres" -}}
{{ include "frontrow-lib.env.from" (dict "variable" "POSTGRES_URL" "secret" .root.Values.global.backends.secret "key" (printf "%s-postgres-url" .database)) }}
{{- end }}

{{- define "frontrow-lib.env.redis" -}}
{{ include "frontrow-lib.env.from" (dict "variable" "REDIS_URL" "secret" .root.Values.global.backends.secret "key" "redis-url") }}
{{- end }}

{{- define "frontrow-lib.env.kafka" -}}
{{- $kafka := .root.Values.global.kafka -}}
{{- with $kafka.caSecret }}
{{ include "frontrow-lib.env.from" (dict "variable" "KAFKA_CA" "secret" . "key" "ca.crt") }}
{{- end }}
{{- with $kafka.userSecretPrefix }}
{{- $user := print . $.root.Chart.Name }}
# By certificate, or by password: what the Secret has.
{{ include "frontrow-lib.env.from" (dict "variable" "KAFKA_CERTIFICATE" "secret" $user "key" "user.crt" "optional" true) }}
{{ include "frontrow-lib.env.from" (dict "variable" "KAFKA_KEY" "secret" $user "key" "user.key" "optional" true) }}
{{ include "frontrow-lib.env.from" (dict "variable" "KAFKA_PASSWORD" "secret" $user "key" "password" "optional" true) }}
- {name: KAFKA_USERNAME, value: {{ $user }}}
{{- else }}
{{ include "frontrow-lib.env.from" (dict "variable" "KAFKA_PASSWORD" "secret" .root.Values.global.backends.secret "key" (printf "kafka-%s-password" .root.Chart.Name)) }}
- {name: KAFKA_USERNAME, value: {{ .root.Chart.Name }}}
{{- end }}
{{- end }}

{{/* A payment provider outside: payment-service's own variables say where. */}}
{{- define "frontrow-lib.env.psp" -}}
{{- end }}

{{- define "frontrow-lib.env.smtp" -}}
{{ include "frontrow-lib.env.from" (dict "variable" "SMTP_URL" "secret" .root.Values.global.mail.smtpSecret "key" "smtp-url") }}
{{- end }}

{{- define "frontrow-lib.env.cassandra" -}}
{{- $cassandra := .root.Values.global.cassandra -}}
{{- with $cassandra.secret }}
{{ include "frontrow-lib.env.from" (dict "variable" "CASSANDRA_USERNAME" "secret" . "key" "username") }}
{{ include "frontrow-lib.env.from" (dict "variable" "CASSANDRA_PASSWORD" "secret" . "key" "password") }}
{{- else }}
# CASSANDRA_USERNAME is in the ConfigMap.
{{ include "frontrow-lib.env.from" (dict "variable" "CASSANDRA_PASSWORD" "secret" .root.Values.global.backends.secret "key" "cassandra-password") }}
{{- end }}
{{- with $cassandra.caSecret }}
{{ include "frontrow-lib.env.from" (dict "variable" "CASSANDRA_CA" "secret" . "key" "ca.crt") }}
{{- end }}
{{- end }}

{{/*
The certificates that signed those of Postgres, Redis and Consul, as files: the addresses of the first two name them
(sslrootcert, ca_file). Empty when none of those that the service uses has any.
*/}}
{{- define "frontrow-lib.authorities" -}}
{{- $global := .root.Values.global -}}
{{- range $backend := list "consul" "postgres" "redis" }}
{{- if or (eq $backend "consul") (has $backend $.backends) }}
{{- with (index $global $backend).caSecret }}
- secret: {name: {{ . }}, items: [{key: ca.crt, path: {{ $backend }}.crt}]}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
