{{/*
All objects of one service. A thin chart calls this once, with a dict:

  root      the chart's context
  http      port of the listener that the gateway (of the gateway: the world) calls
  admin     port of /metrics, /healthz and /readyz
  migrates  true: `<service> migrate` runs before the service
  database  auth, event, notification, payment or psp: whose address in Postgres it gets; leave out when it has none
  backends  which of cassandra, kafka, postgres, psp, redis, smtp it reaches
  calls     dict of the other services it finds by discovery and calls, with their ports
  reaches   dict of those it calls by an address in its variables, with their ports
  callers   which services beside the gateway call it
  internal  true: the gateway does not call it
  public    true: anybody may call it, not only the gateway
  env       its own variables, as YAML
  migrateEnv  those that only its migration has
*/}}
{{- define "frontrow-lib.service" -}}
{{ include "frontrow-lib.serviceAccount" . }}
---
{{ include "frontrow-lib.headlessService" . }}
---
{{ include "frontrow-lib.deployment" . }}
---
{{ include "frontrow-lib.networkPolicy" . }}
{{- if or (gt (int .root.Values.replicas) 1) (include "frontrow-lib.autoscaled" .root) }}
---
{{ include "frontrow-lib.disruptionBudget" . }}
{{- end }}
{{- if include "frontrow-lib.autoscaled" .root }}
---
{{ include "frontrow-lib.autoscaler" . }}
{{- end }}
{{- if .root.Values.global.metrics.prometheusOperator }}
---
{{ include "frontrow-lib.serviceMonitor" . }}
{{- end }}
{{- end }}

{{/* An account of its own, so that nobody else's rights are a service's by accident. It has no rights and no token. */}}
{{- define "frontrow-lib.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "frontrow-lib.fullname" .root }}
  labels: {{- include "frontrow-lib.labels" .root | nindent 4 }}
automountServiceAccountToken: false
{{- end }}

{{/* Names every ready pod: for discovery without Consul, and for Prometheus. */}}
{{- define "frontrow-lib.headlessService" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "frontrow-lib.fullname" .root }}-headless
  labels: {{- include "frontrow-lib.labels" .root | nindent 4 }}
spec:
  clusterIP: None
  selector: {{- include "frontrow-lib.selectorLabels" .root | nindent 4 }}
  ports:
    - {name: http, port: {{ .http }}, targetPort: http}
    - {name: admin, port: {{ .admin }}, targetPort: admin}
{{- end }}

{{- define "frontrow-lib.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "frontrow-lib.fullname" .root }}
  labels: {{- include "frontrow-lib.labels" .root | nindent 4 }}
spec:
  maxUnavailable: 1
  # A pod that never becomes ready must not hold up the drain of its node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "frontrow-lib.selectorLabels" .root | nindent 6 }}
{{- end }}

{{- define "frontrow-lib.autoscaler" -}}
{{- $values := .root.Values -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "frontrow-lib.fullname" .root }}
  labels: {{- include "frontrow-lib.labels" .root | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "frontrow-lib.fullname" .root }}
  minReplicas: {{ $values.replicas }}
  maxReplicas: {{ $values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: {type: Utilization, averageUtilization: {{ $values.autoscaling.cpuPercent }}}
    {{- with $values.autoscaling.holdsInFlight }}
    # Holds wait for Cassandra, not for our own processor: many under way say sooner than the processor does that the sale
    # has begun.
    - type: Pods
      pods:
        metric: {name: holds_in_flight}
        target: {type: AverageValue, averageValue: {{ . | int | quote }}}
    {{- end }}
  behavior:
    # A sale comes in waves. A replica that goes has its blocks of seats moved, so replicas go slowly.
    scaleDown:
      stabilizationWindowSeconds: 300
      policies:
        - {type: Pods, value: 1, periodSeconds: 60}
{{- end }}

{{- define "frontrow-lib.serviceMonitor" -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ include "frontrow-lib.fullname" .root }}
  labels:
    {{- include "frontrow-lib.labels" .root | nindent 4 }}
    {{- with .root.Values.global.metrics.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels: {{- include "frontrow-lib.selectorLabels" .root | nindent 6 }}
  # The metrics' job is then the service's name, whatever the release is called.
  jobLabel: app.kubernetes.io/name
  endpoints:
    - port: admin
      path: /metrics
      interval: 10s
{{- end }}
