{{- define "frontrow-lib.deployment" -}}
{{- $values := .root.Values -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "frontrow-lib.fullname" .root }}
  labels: {{- include "frontrow-lib.labels" .root | nindent 4 }}
spec:
  {{- if not (include "frontrow-lib.autoscaled" .root) }}
  # Left out when there is an autoscaler: an upgrade must not undo what it decided.
  replicas: {{ $values.replicas }}
  {{- end }}
  # A new replica is ready a moment before Consul has checked it and the gateway heard of it.
  minReadySeconds: 5
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels: {{- include "frontrow-lib.selectorLabels" .root | nindent 6 }}
  template:
    metadata:
      labels: {{- include "frontrow-lib.podLabels" .root | nindent 8 }}
    spec: {{- include "frontrow-lib.podSpec" . | nindent 6 }}
{{- end }}

{{- define "frontrow-lib.podSpec" -}}
{{- $values := .root.Values -}}
{{- $global := $values.global -}}
serviceAccountName: {{ include "frontrow-lib.fullname" .root }}
{{- include "frontrow-lib.podHardening" . | nindent 0 }}
{{- with $global.images.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
# The drain, the 30 s that a service takes at most to stop after it, and a little.
terminationGracePeriodSeconds: {{ add $global.drainSeconds 35 }}
{{- include "frontrow-lib.spread" . | nindent 0 }}
{{- if .migrates }}
initContainers:
  # An init container and not a hook: Tilt and Argo CD run it too, it can read the Secrets of this release at the first
  # install, and no pod of a version can serve before that version's migration has ended. Several at once are safe.
  - name: migrate
    {{- include "frontrow-lib.container" . | nindent 4 }}
      {{- with .migrateEnv }}
      {{- . | nindent 6 }}
      {{- end }}
    args: [migrate]
{{- end }}
containers:
  - name: {{ .root.Chart.Name }}
    {{- include "frontrow-lib.container" . | nindent 4 }}
    ports:
      - {name: http, containerPort: {{ .http }}}
      - {name: admin, containerPort: {{ .admin }}}
    # Ten minutes to start: booking-service waits for Cassandra.
    startupProbe:
      httpGet: {path: /healthz, port: admin}
      periodSeconds: 1
      failureThreshold: 600
    readinessProbe:
      httpGet: {path: /readyz, port: admin}
      periodSeconds: 2
      timeoutSeconds: 3
      failureThreshold: 2
    # Asks no backend: a restart heals none. Slow to act, since a busy process is not a dead one.
    livenessProbe:
      httpGet: {path: /healthz, port: admin}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
{{- with include "frontrow-lib.authorities" . }}
volumes:
  - name: authorities
    projected:
      sources: {{- . | nindent 8 }}
{{- end }}
{{- end }}

{{/* What the service's container and that of its migration have in common. */}}
{{- define "frontrow-lib.container" -}}
image: {{ include "frontrow-lib.image" .root | quote }}
imagePullPolicy: {{ .root.Values.global.images.pullPolicy }}
securityContext: {{- include "frontrow-lib.containerHardening" . | nindent 2 }}
resources: {{- toYaml .root.Values.resources | nindent 2 }}
# Where the backends are.
envFrom:
  - configMapRef: {name: {{ .root.Values.global.backends.configMap }}}
{{- if include "frontrow-lib.authorities" . }}
volumeMounts:
  - {name: authorities, mountPath: /etc/frontrow/authorities, readOnly: true}
{{- end }}
# Last: the migration's own variables follow.
env: {{- include "frontrow-lib.env" . | nindent 2 }}
{{- end }}

{{/* The "restricted" profile of the Pod Security Standards, and more: no token of a service account. */}}
{{- define "frontrow-lib.podHardening" -}}
automountServiceAccountToken: false
# A Service's variables in the environment could be taken for our own.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "frontrow-lib.containerHardening" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: {{ not .root.Values.global.liveUpdate }}
capabilities: {drop: [ALL]}
{{- end }}

{{/*
Replicas of one service apart from each other, by node and by zone. Only pods of the same version count: during a rolling
update the old ones must not be in the way of the new.
*/}}
{{- define "frontrow-lib.spread" -}}
{{- $spread := .root.Values.global.spread -}}
{{- $same := include "frontrow-lib.selectorLabels" .root -}}
{{- if eq $spread.nodes "required" -}}
affinity:
  podAntiAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels: {{- $same | nindent 12 }}
        matchLabelKeys: [pod-template-hash]
{{ end -}}
topologySpreadConstraints:
  - topologyKey: kubernetes.io/hostname
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- $same | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  - topologyKey: topology.kubernetes.io/zone
    maxSkew: 1
    whenUnsatisfiable: {{ ternary "DoNotSchedule" "ScheduleAnyway" (eq $spread.zones "required") }}
    labelSelector:
      matchLabels: {{- $same | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
{{- end }}
