package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/frontrow-tickets/frontrow/test/charts"
	"github.com/frontrow-tickets/frontrow/test/k8s/cluster"
)

// definitions lists where the operators' modules define the kinds that the
// charts use.
var definitions = []struct{ module, file string }{
	{"github.com/k8ssandra/cass-operator@v1.28.0", "config/crd/bases/cassandra.datastax.com_cassandradatacenters.yaml"},
	{"github.com/cloudnative-pg/cloudnative-pg@v1.28.0", "config/crd/bases/postgresql.cnpg.io_clusters.yaml"},
	{"github.com/cloudnative-pg/cloudnative-pg@v1.28.0", "config/crd/bases/postgresql.cnpg.io_databases.yaml"},
	{"github.com/prometheus-operator/prometheus-operator@v0.85.0", "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"},
	{"github.com/prometheus-operator/prometheus-operator@v0.85.0", "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml"},
	{"github.com/cert-manager/cert-manager@v1.19.1", "deploy/crds/cert-manager.io_certificates.yaml"},
	{"sigs.k8s.io/gateway-api@v1.3.0", "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"},
}

// cassandraConfig is removed from cass-operator's definition before it is
// installed: config may be any object.
const cassandraConfig = "                format: byte\n                type: string\n"

// strimziKind defines one of Strimzi's kinds with any content: Strimzi's own
// classes check the content (test/strimzi).
const strimziKind = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: %[1]ss.kafka.strimzi.io}
spec:
  group: kafka.strimzi.io
  names: {kind: %[2]s, plural: %[1]ss, singular: %[1]s}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`

// dryRun sends every object of every profile of the charts to the API server as
// a dry run. Definitions that the cluster lacks are installed for
// the duration of the test.
func (s *suite) dryRun(ctx context.Context) error {
	lent, err := s.define(ctx)
	defer func() {
		for _, name := range lent {
			_, _ = cluster.Run(context.WithoutCancel(ctx), "", "kubectl", "delete", "--wait=false", name)
		}
	}()
	if err != nil {
		return err
	}
	dry := &cluster.Cluster{Namespace: "frontrow-dry-run"}
	namespace := fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {pod-security.kubernetes.io/enforce: restricted, pod-security.kubernetes.io/warn: restricted}}}", dry.Namespace)
	if _, err := dry.Apply(ctx, namespace); err != nil {
		return err
	}
	defer func() {
		_, _ = cluster.Run(context.WithoutCancel(ctx), "", "kubectl", "delete", "namespace", "--wait=false", dry.Namespace)
	}()
	prepared, err := charts.Prepare(ctx, ".")
	if err != nil {
		return err
	}
	defer func() { _ = prepared.Remove() }()
	objects := 0
	for _, profile := range charts.Profiles {
		rendered, err := prepared.Render(ctx, profile)
		if err != nil {
			return err
		}
		rendered = strings.ReplaceAll(rendered, "namespace: frontrow\n", "namespace: "+dry.Namespace+"\n")
		says, err := dry.Apply(ctx, rendered, "--dry-run=server")
		if err != nil {
			s.broken("%s: the API server refuses it: %s", profile.Name, err)
		}
		if strings.Contains(says, "Warning") {
			s.broken("%s: the API server warns: %s", profile.Name, says)
		}
		objects += strings.Count(says, "(server dry run)")
	}
	s.figures["dry_run_objects"] = float64(objects)
	s.say("dry run: the API server would take %d objects of %d profiles", objects, len(charts.Profiles))
	return nil
}

// define installs the definitions that the cluster lacks, and returns their
// names.
func (s *suite) define(ctx context.Context) (lent []string, err error) {
	texts := make([]string, 0, len(definitions)+4)
	for _, d := range definitions {
		out, err := cluster.Run(ctx, "", "go", "mod", "download", "-json", d.module)
		if err != nil {
			return nil, err
		}
		var module struct{ Dir string }
		if err := json.Unmarshal([]byte(out), &module); err != nil {
			return nil, err
		}
		text, err := os.ReadFile(filepath.Join(module.Dir, d.file))
		if err != nil {
			return nil, err
		}
		texts = append(texts, strings.Replace(string(text), cassandraConfig, "", 1))
	}
	for _, kind := range []string{"Kafka", "KafkaNodePool", "KafkaTopic", "KafkaUser"} {
		texts = append(texts, fmt.Sprintf(strimziKind, strings.ToLower(kind), kind))
	}
	for _, text := range texts {
		out, err := cluster.Run(ctx, text, "kubectl", "create", "--dry-run=client", "-o", "name", "-f", "-")
		if err != nil {
			return lent, err
		}
		name := strings.TrimSpace(out)
		if _, err := cluster.Run(ctx, "", "kubectl", "get", name); err == nil {
			continue
		}
		if _, err := cluster.Run(ctx, text, "kubectl", "create", "-f", "-"); err != nil {
			return lent, err
		}
		lent = append(lent, name)
	}
	for _, name := range lent {
		if _, err := cluster.Run(ctx, "", "kubectl", "wait", "--for=condition=Established", "--timeout=60s", name); err != nil {
			return lent, err
		}
	}
	return lent, nil
}
