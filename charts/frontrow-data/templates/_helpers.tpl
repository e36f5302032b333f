{{/* Every name begins with the release's, so that two releases do not meet. */}}
{{- define "data.name" -}}
{{ .top.Release.Name }}-{{ .component }}
{{- end }}

{{- define "data.configMapName" -}}
{{ .Release.Name }}-backends
{{- end }}

{{- define "data.secretName" -}}
{{ .Values.existingSecret | default (printf "%s-backends" .Release.Name) }}
{{- end }}

{{/* What finds the pods of a component; it must never change. */}}
{{- define "data.selector" -}}
app.kubernetes.io/name: {{ .component }}
app.kubernetes.io/instance: {{ .top.Release.Name }}
{{- end }}

{{/* The labels of a component's pods. Without a version: pods restart when they change, not when the chart does. */}}
{{- define "data.podLabels" -}}
{{ include "data.selector" . }}
app.kubernetes.io/part-of: frontrow-data
{{- end }}

{{/* The labels of objects. Not part-of, which the default policy looks for in pods: Strimzi gives it on to its own. */}}
{{- define "data.labels" -}}
{{ include "data.selector" . }}
app.kubernetes.io/managed-by: {{ .top.Release.Service }}
helm.sh/chart: {{ .top.Chart.Name }}-{{ .top.Chart.Version }}
{{- end }}

{{/* The names of a StatefulSet's pods by its headless Service, comma-separated: top, component, count. */}}
{{- define "data.hosts" -}}
{{- $name := include "data.name" . -}}
{{- $hosts := list -}}
{{- range until (int .count) -}}
{{- $hosts = append $hosts (printf "%s-%d.%s" $name . $name) -}}
{{- end -}}
{{ join "," $hosts }}
{{- end }}

{{/* The same as host:port: port, too. */}}
{{- define "data.pods" -}}
{{- $addresses := list -}}
{{- range include "data.hosts" . | splitList "," -}}
{{- $addresses = append $addresses (printf "%s:%d" . (int $.port)) -}}
{{- end -}}
{{ join "," $addresses }}
{{- end }}

{{/* What all pods have in common: top, component, user, group. enableServiceLinks is off because images such as Kafka's
     take every variable that begins with their name for a setting. */}}
{{- define "data.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .group }}
  fsGroup: {{ .group }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* An init container that ends when the pod's name leads to it: top, component, image. A pod that comes after another has
     that one's name, and for some seconds its address in DNS: a node that asks its own name then waits for nobody. */}}
{{- define "data.named" -}}
- name: named
  image: {{ .image }}
  command: [sh, -c, "until getent hosts $(POD_NAME).{{ include "data.name" . }} | grep -qwF $(POD_IP); do sleep 0.2; done"]
  {{- include "data.container" .top | nindent 2 }}
  env:
    - name: POD_NAME
      valueFrom: {fieldRef: {fieldPath: metadata.name}}
    - name: POD_IP
      valueFrom: {fieldRef: {fieldPath: status.podIP}}
  resources:
    requests: {cpu: 10m, memory: 16Mi}
    limits: {memory: 32Mi}
{{- end }}

{{- define "data.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* Nodes of one cluster go to different zones and machines where there are any. */}}
{{- define "data.spread" -}}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "data.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}

{{/* A claim: top, name, size. */}}
{{- define "data.claim" -}}
- apiVersion: v1
  kind: PersistentVolumeClaim
  metadata:
    name: {{ .name }}
  spec:
    accessModes: [ReadWriteOnce]
    {{- with .top.Values.storageClass }}
    storageClassName: {{ . }}
    {{- end }}
    resources:
      requests: {storage: {{ .size }}}
{{- end }}

{{/* A headless Service that names a StatefulSet's pods, also before they are ready: they must find each other to become
     so. top, component, ports (name: number). */}}
{{- define "data.headless" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "data.name" . }}
  labels: {{- include "data.labels" . | nindent 4 }}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector: {{- include "data.selector" . | nindent 4 }}
  ports:
    {{- range $name, $port := .ports }}
    - {name: {{ $name }}, port: {{ $port }}, targetPort: {{ $port }}}
    {{- end }}
{{- end }}

{{/* Of several nodes one at a time may be away: top, component. */}}
{{- define "data.disruption" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "data.name" . }}
  labels: {{- include "data.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  # A pod that is not ready serves nobody: it must not hold up the drain of its machine.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "data.selector" . | nindent 6 }}
{{- end }}

{{/* Pods of Frontrow's services, by name, in this namespace. */}}
{{- define "data.services" -}}
- podSelector:
    matchExpressions:
      - {key: app.kubernetes.io/name, operator: In, values: [{{ join ", " . }}]}
{{- end }}

{{/* The pods of components of this release: top, components. */}}
{{- define "data.components" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/instance: {{ .top.Release.Name }}
    matchExpressions:
      - {key: app.kubernetes.io/name, operator: In, values: [{{ join ", " .components }}]}
{{- end }}

{{/* Not empty when the backends of this release speak TLS only. */}}
{{- define "data.tls" -}}
{{- if ne .Values.tls.mode "none" }}true{{ end }}
{{- end }}

{{/* The Secret with a component's certificate; its files are in /etc/tls. Not in /etc/frontrow, a ConfigMap's, in which nothing
     can be mounted. top, component. */}}
{{- define "data.tlsSecret" -}}
{{ include "data.name" . }}-tls
{{- end }}

{{- define "data.tlsMount" -}}
{{- if include "data.tls" . }}
- {name: tls, mountPath: /etc/tls, readOnly: true}
{{- end }}
{{- end }}

{{- define "data.tlsVolume" -}}
{{- if include "data.tls" .top }}
# The group's to read: Postgres refuses a key that others can read.
- {name: tls, secret: {secretName: {{ include "data.tlsSecret" . }}, defaultMode: 0440}}
{{- end }}
{{- end }}

{{/* An environment variable from the Secret with the passwords: top, variable, key. */}}
{{- define "data.secretVariable" -}}
- name: {{ .variable }}
  valueFrom: {secretKeyRef: {name: {{ include "data.secretName" .top }}, key: {{ .key }}}}
{{- end }}

{{/* How a backend's nodes know each other and their clients. It cannot change one node at a time: guards.yaml. */}}
{{- define "data.security" -}}
frontrow-data/security: {{ ternary "tls" "password" (ne (include "data.tls" .) "") }}
{{- end }}

{{/* The services that use Kafka; files/topics.yaml says for what. */}}
{{- define "data.kafkaServices" -}}
auth-service booking-service event-service notification-service payment-service
{{- end }}

{{- define "data.cassandraDatacenter" -}}
{{ .Release.Name }}-dc
{{- end }}

{{- define "data.kafkaBrokers" -}}
{{- $kafka := .Values.kafka -}}
{{- if eq $kafka.mode "strimzi" -}}
{{ .Release.Name }}-kafka-bootstrap:9093
{{- else if eq $kafka.mode "statefulset" -}}
{{ include "data.pods" (dict "top" . "component" "kafka" "count" $kafka.replicas "port" 9092) }}
{{- else -}}
{{ $kafka.external.brokers }}
{{- end -}}
{{- end }}

{{- define "data.cassandraHosts" -}}
{{- $cassandra := .Values.cassandra -}}
{{- if eq $cassandra.mode "operator" -}}
{{ .Release.Name }}-{{ include "data.cassandraDatacenter" . }}-service:9042
{{- else if eq $cassandra.mode "statefulset" -}}
{{ include "data.pods" (dict "top" . "component" "cassandra" "count" $cassandra.replicas "port" 9042) }}
{{- else -}}
{{ $cassandra.external.hosts }}
{{- end -}}
{{- end }}

{{- define "data.consulAddress" -}}
{{- if eq .Values.consul.mode "servers" -}}
{{ .Release.Name }}-consul-agent:8500
{{- else if eq .Values.consul.mode "external" -}}
{{ .Values.consul.external.address }}
{{- end -}}
{{- end }}

{{/* The same by Strimzi's labels. */}}
{{- define "data.strimziSpread" -}}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        strimzi.io/cluster: {{ $.Release.Name }}
        strimzi.io/name: {{ $.Release.Name }}-kafka
  {{- end }}
{{- end }}
