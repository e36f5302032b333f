{{/*
Who may talk to a service, and to whom it may talk. All else is denied by the umbrella chart's policy for the whole release.
Ports are numbers: names of ports in egress rules are not understood by every network plugin.
*/}}
{{- define "frontrow-lib.networkPolicy" -}}
{{- $root := .root -}}
{{- $global := .root.Values.global -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "frontrow-lib.fullname" .root }}
  labels: {{- include "frontrow-lib.labels" .root | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "frontrow-lib.selectorLabels" .root | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports: [{port: {{ .http }}}]
      {{- if not .public }}
      from:
        {{- range concat (ternary (list) (list "api-gateway") (default false .internal)) (default (list) .callers) }}
        - podSelector:
            matchLabels: {app.kubernetes.io/name: {{ . }}, app.kubernetes.io/instance: {{ $root.Release.Name }}}
        {{- end }}
      {{- end }}
    {{- with concat $global.metrics.peers $global.network.consul.peers }}
    # Prometheus, and Consul's agents, which ask whether we are ready. The node's own probes are always let in.
    - ports: [{port: {{ $.admin }}}]
      from: {{- toYaml . | nindent 8 }}
    {{- end }}
  egress:
    {{- include "frontrow-lib.egressToDNS" . | nindent 4 }}
    {{- range $service, $port := merge (dict) (default (dict) .calls) (default (dict) .reaches) }}
    - ports: [{port: {{ $port }}}]
      to:
        - podSelector:
            matchLabels: {app.kubernetes.io/name: {{ $service }}, app.kubernetes.io/instance: {{ $root.Release.Name }}}
    {{- end }}
    {{- $backends := append .backends "consul" }}
    {{- if $global.traces.endpoint }}
    {{- $backends = append $backends "traces" }}
    {{- end }}
    {{- range $backends }}
    {{- with index $global.network . }}
    - ports: [{{ range $i, $port := .ports }}{{ if $i }}, {{ end }}{port: {{ $port }}}{{ end }}]
      {{- with .peers }}
      to: {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- end }}
    {{- end }}
{{- end }}

{{/* Any address: where the cluster's DNS is differs (pods, a cache at the node), and port 53 is nothing else. */}}
{{- define "frontrow-lib.egressToDNS" -}}
- ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
{{- end }}
