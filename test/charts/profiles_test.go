package charts

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Together both releases fit on a machine with two processors and 8 GiB, with
// room for the cluster itself.
func TestKindFitsOnOneMachine(t *testing.T) {
	cpu, memory := 0, 0 // requested milli-CPU, and limits in MiB
	for _, name := range []string{"frontrow-kind", "data-kind"} {
		for _, o := range profile(t, name).objects(t) {
			w, _ := o.workload(t)
			replicas := 1
			if w.Replicas != nil {
				replicas = *w.Replicas
			}
			for _, c := range w.Template.Spec.Containers {
				cpu += replicas * milli(t, c.Resources.Requests["cpu"])
				memory += replicas * mebi(t, c.Resources.Limits["memory"])
			}
		}
	}
	if cpu > 1000 || memory > 7*1024 {
		t.Errorf("requests of %d milli-CPU and limits of %d MiB, want at most 1000 and %d", cpu, memory, 7*1024)
	}
}

func milli(t *testing.T, quantity string) int {
	t.Helper()
	if whole, ok := strings.CutSuffix(quantity, "m"); ok {
		return number(t, whole)
	}
	return 1000 * number(t, quantity)
}

func mebi(t *testing.T, quantity string) int {
	t.Helper()
	if whole, ok := strings.CutSuffix(quantity, "Gi"); ok {
		return 1024 * number(t, whole)
	}
	return number(t, strings.TrimSuffix(quantity, "Mi"))
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestKindRunsOneNodeOfEachBackend(t *testing.T) {
	list := profile(t, "data-kind").objects(t)
	for _, name := range []string{"data-kafka", "data-cassandra", "data-postgres", "data-consul"} {
		if w, _ := list.get(t, "StatefulSet "+name).workload(t); w.Replicas == nil || *w.Replicas != 1 {
			t.Errorf("%s has not one replica", name)
		}
	}
	// A budget for a single pod would hold up the drain of its node.
	want := []string{"data-redis", "data-sentinel"}
	if diff := cmp.Diff(want, list.names("PodDisruptionBudget")); diff != "" {
		t.Errorf("disruption budgets:\n%s", diff)
	}
}

func TestKindIsReachedThroughItsIngress(t *testing.T) {
	list := profile(t, "frontrow-kind").objects(t)
	var ingress struct {
		Rules []struct {
			HTTP struct {
				Paths []struct {
					Backend struct {
						Service struct{ Name string }
					}
				}
			}
		}
	}
	list.get(t, "Ingress frontrow").spec(t, &ingress)
	if service := ingress.Rules[0].HTTP.Paths[0].Backend.Service.Name; service != "frontrow-api-gateway" {
		t.Errorf("the Ingress leads to %s", service)
	}
	env := list.env(t, "frontrow-api-gateway")
	if env["TRUSTED_PROXIES"] != "10.244.0.0/16" || env["RATE_LIMIT_ADDRESS"] != "5000" {
		t.Errorf("the gateway trusts %q and limits an address to %s", env["TRUSTED_PROXIES"], env["RATE_LIMIT_ADDRESS"])
	}
	env = list.env(t, "frontrow-auth-service")
	if env["AUTH_REGISTRATIONS_PER_NETWORK"] != "0" || env["AUTH_REGISTRATIONS_TOTAL"] != "0" {
		t.Errorf("a network may register %s accounts, all networks %s", env["AUTH_REGISTRATIONS_PER_NETWORK"], env["AUTH_REGISTRATIONS_TOTAL"])
	}
}

func TestHTTPRouteReplacesTheIngress(t *testing.T) {
	list := profile(t, "frontrow-http-route").objects(t)
	var route struct {
		ParentRefs []struct{ Name string } `yaml:"parentRefs"`
		Rules      []struct {
			BackendRefs []struct {
				Name string
				Port int
			} `yaml:"backendRefs"`
		}
	}
	list.get(t, "HTTPRoute frontrow").spec(t, &route)
	if route.ParentRefs[0].Name != "public" {
		t.Errorf("the route belongs to %v, want public", route.ParentRefs)
	}
	backend := route.Rules[0].BackendRefs[0]
	var service struct{ Ports []struct{ Port int } }
	list.get(t, "Service "+backend.Name).spec(t, &service)
	if backend.Name != "frontrow-api-gateway" || service.Ports[0].Port != backend.Port {
		t.Errorf("the route leads to %+v, the Service has port %d", backend, service.Ports[0].Port)
	}
	if ingresses := list.names("Ingress"); len(ingresses) > 0 {
		t.Errorf("there are Ingresses too: %v", ingresses)
	}
	if trusted := list.env(t, "frontrow-api-gateway")["TRUSTED_PROXIES"]; trusted != "10.0.0.0/16" {
		t.Errorf("the gateway trusts %q", trusted)
	}
}

// TestStrimziUnderstandsItsObjects checks Kafka's objects.
func TestOperatorsRunKafkaCassandraAndPostgres(t *testing.T) {
	list := profile(t, "data-operators").objects(t)
	want := []string{"data-consul", "data-redis", "data-sentinel"}
	if diff := cmp.Diff(want, list.names("StatefulSet")); diff != "" {
		t.Errorf("StatefulSets:\n%s", diff)
	}
	if partitions := list.get(t, "ConfigMap data-backends").Data["KAFKA_TOPIC_PARTITIONS"]; partitions != "0" {
		t.Errorf("the migrations make topics of %s partitions, but Strimzi makes the topics", partitions)
	}

	var cassandra struct {
		Size          int
		ServerVersion string `yaml:"serverVersion"`
		Config        struct {
			Cassandra map[string]any `yaml:"cassandra-yaml"`
		}
	}
	list.get(t, "CassandraDatacenter data-dc").spec(t, &cassandra)
	if cassandra.Size != 1 || cassandra.ServerVersion != "5.0.6" {
		t.Errorf("%d nodes of Cassandra %s, want one of 5.0.6, which the other profiles run", cassandra.Size, cassandra.ServerVersion)
	}
	// Without these an acceptor may forget a promise, and a round costs more.
	for key, value := range map[string]string{"paxos_variant": "v2", "commitlog_sync": "batch", "commitlog_sync_period": "0ms"} {
		if cassandra.Config.Cassandra[key] != value {
			t.Errorf("Cassandra's %s is %v, want %s", key, cassandra.Config.Cassandra[key], value)
		}
	}

	var postgres struct {
		Instances int
		Bootstrap struct {
			InitDB struct{ Database, Owner string } `yaml:"initdb"`
		}
		Managed struct {
			Roles []struct {
				Name           string
				PasswordSecret reference `yaml:"passwordSecret"`
			}
		}
	}
	list.get(t, "Cluster data-postgres").spec(t, &postgres)
	if postgres.Instances != 1 || postgres.Bootstrap.InitDB.Database != "auth" || postgres.Bootstrap.InitDB.Owner != "auth" {
		t.Errorf("Postgres: %+v, want one instance with the database auth", postgres)
	}
	var roles []string
	for _, role := range postgres.Managed.Roles {
		roles = append(roles, role.Name)
		list.get(t, "Secret "+role.PasswordSecret.Name)
		var database struct{ Name, Owner string }
		list.get(t, "Database data-postgres-"+role.Name).spec(t, &database)
		if database.Name != role.Name || database.Owner != role.Name {
			t.Errorf("role %s has the database %+v", role.Name, database)
		}
	}
	if want := []string{"events", "notifications", "payments", "psp"}; !slices.Equal(roles, want) {
		t.Errorf("roles %v, want %v", roles, want)
	}
}

func TestServicesLogInToTheOperatorsBackends(t *testing.T) {
	list, data := profile(t, "frontrow-operators").objects(t), profile(t, "data-operators").objects(t)
	for _, service := range []string{"auth-service", "booking-service", "event-service", "notification-service", "payment-service"} {
		user := "data-kafka-" + service
		data.get(t, "KafkaUser "+user)
		env := list.env(t, "frontrow-"+service)
		got := []string{env["KAFKA_USERNAME"], env["KAFKA_CA"], env["KAFKA_CERTIFICATE"], env["KAFKA_KEY"]}
		want := []string{user, "data-cluster-ca-cert/ca.crt", user + "/user.crt", user + "/user.key"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s and Kafka:\n%s", service, diff)
		}
	}
	env := list.env(t, "frontrow-booking-service")
	if env["CASSANDRA_USERNAME"] != "data-superuser/username" || env["CASSANDRA_PASSWORD"] != "data-superuser/password" {
		t.Errorf("booking-service logs in to Cassandra as %s", env["CASSANDRA_USERNAME"])
	}
	for _, service := range []string{"auth-service", "event-service", "notification-service", "payment-service", "psp-simulator"} {
		policy := list.get(t, "NetworkPolicy frontrow-"+service)
		if text := flat(t, policy); !strings.Contains(text, "cnpg.io/cluster: data-postgres") {
			t.Errorf("%s may not reach CloudNativePG's pods:\n%s", service, text)
		}
	}
}

func TestNotificationServiceIsInstalledWithMail(t *testing.T) {
	for name, mail := range map[string]bool{"frontrow": true, "frontrow-without-mail": false} {
		list := profile(t, name).objects(t)
		if installed := slices.Contains(list.names("Deployment"), "frontrow-notification-service"); installed != mail {
			t.Errorf("%s: notification-service is installed: %t", name, installed)
		}
		if got := list.env(t, "frontrow-auth-service")["AUTH_REQUIRE_VERIFIED"]; got != strconv.FormatBool(mail) {
			t.Errorf("%s: AUTH_REQUIRE_VERIFIED is %s", name, got)
		}
	}
}

func TestOnlyTheMigrationHasTheAdminsPassword(t *testing.T) {
	w, _ := profile(t, "frontrow").objects(t).get(t, "Deployment frontrow-auth-service").workload(t)
	has := func(c container) bool {
		return slices.ContainsFunc(c.Env, func(v variable) bool { return v.Name == "ADMIN_PASSWORD" })
	}
	if spec := w.Template.Spec; !has(spec.InitContainers[0]) || has(spec.Containers[0]) {
		t.Errorf("the migration has it: %t, the running service: %t", has(spec.InitContainers[0]), has(spec.Containers[0]))
	}
}

func TestKindCatchesItsMail(t *testing.T) {
	url := profile(t, "data-kind").objects(t).get(t, "Secret data-backends").Data["smtp-url"]
	if text, err := base64.StdEncoding.DecodeString(url); err != nil || string(text) != "smtp://data-mailpit:1025?tls=none" {
		t.Errorf("the mail server is %q (%v)", text, err)
	}
	policy := flat(t, profile(t, "frontrow-kind").objects(t).get(t, "NetworkPolicy frontrow-notification-service"))
	if !strings.Contains(policy, "port: 1025") || !strings.Contains(policy, "app.kubernetes.io/name: mailpit") {
		t.Errorf("notification-service may not reach the mail catcher:\n%s", policy)
	}
}

func TestTiltRunsOneReplicaThatCanBeReplacedInPlace(t *testing.T) {
	list := profile(t, "frontrow-tilt").objects(t)
	for _, name := range list.names("Deployment") {
		w, _ := list.get(t, "Deployment "+name).workload(t)
		if w.Replicas == nil || *w.Replicas != 1 {
			t.Errorf("%s has not one replica", name)
		}
		for _, c := range w.Template.Spec.Containers {
			if c.SecurityContext.ReadOnlyRootFilesystem {
				t.Errorf("%s has a read-only file system: Tilt can't replace its program", name)
			}
		}
		if delay := list.env(t, name)["DRAIN_DELAY"]; delay != "1s" {
			t.Errorf("%s drains for %s", name, delay)
		}
	}
	if redis, _ := profile(t, "data-tilt").objects(t).get(t, "StatefulSet data-redis").workload(t); *redis.Replicas != 1 {
		t.Errorf("%d nodes of Redis", *redis.Replicas)
	}
}

// Tilt renders without a cluster: what is made at random would change at each
// edit.
func TestTiltMakesNoSecrets(t *testing.T) {
	for _, name := range []string{"frontrow-tilt", "data-tilt"} {
		list := profile(t, name).objects(t)
		for _, kind := range []string{"Secret", "PodDisruptionBudget", "Ingress"} {
			if names := list.names(kind); len(names) > 0 {
				t.Errorf("%s has %ss: %v", name, kind, names)
			}
		}
	}
}

func TestProductionHasEveryDashboard(t *testing.T) {
	list := profile(t, "frontrow-production").objects(t)
	files, err := filepath.Glob("../../charts/frontrow/files/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d dashboards: %v", len(files), err)
	}
	for _, file := range files {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		got := list.get(t, "ConfigMap frontrow-dashboard-"+name).Data["frontrow-"+name+".json"]
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}
