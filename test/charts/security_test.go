package charts

import (
	"encoding/base64"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// data are the profiles in which frontrow-data itself runs every backend.
var data = []string{"data", "data-kind", "data-tls"}

func TestBackendsAskForPasswords(t *testing.T) {
	for _, name := range data {
		t.Run(name, func(t *testing.T) {
			list := profile(t, name).objects(t)
			for _, listener := range kafkaListeners(t, list) {
				if !strings.Contains(listener, ":SASL_") {
					t.Errorf("Kafka's listener %s asks for no password", listener)
				}
			}
			cassandra := config(t, list, "data-cassandra", "cassandra.yaml")
			if cassandra["authenticator"] != "PasswordAuthenticator" || cassandra["authorizer"] != "CassandraAuthorizer" {
				t.Errorf("Cassandra: %v, %v", cassandra["authenticator"], cassandra["authorizer"])
			}
			acl, _ := config(t, list, "data-consul", "consul.json")["acl"].(map[string]any)
			if acl["enabled"] != true || acl["default_policy"] != "deny" {
				t.Errorf("Consul's ACLs: %v", acl)
			}
			for file, setting := range map[string]string{
				"data-consul/consul.sh":     `"encrypt": "$GOSSIP_KEY"`,
				"data-redis/redis.sh":       "requirepass $REDIS_PASSWORD",
				"data-sentinel/sentinel.sh": "requirepass $REDIS_PASSWORD",
				"data-postgres/pg_hba.conf": " all all all scram-sha-256",
			} {
				object, key, _ := strings.Cut(file, "/")
				if text := list.get(t, "ConfigMap "+object).Data[key]; !strings.Contains(text, setting) {
					t.Errorf("%s does not say %q", file, setting)
				}
			}
			for line := range strings.Lines(list.get(t, "ConfigMap data-postgres").Data["pg_hba.conf"]) {
				if strings.HasPrefix(line, "host") && !strings.HasSuffix(line, "scram-sha-256\n") {
					t.Errorf("Postgres: %s", line)
				}
			}
		})
	}
}

func TestServicesLogInToTheBackends(t *testing.T) {
	list := profile(t, "frontrow").objects(t)
	for _, service := range []string{
		"auth-service", "booking-service", "event-service", "notification-service", "payment-service",
	} {
		env := list.env(t, "frontrow-"+service)
		if env["KAFKA_USERNAME"] != service || env["KAFKA_PASSWORD"] != "data-backends/kafka-"+service+"-password" {
			t.Errorf("%s logs in to Kafka as %s with %s", service, env["KAFKA_USERNAME"], env["KAFKA_PASSWORD"])
		}
	}
	password := list.env(t, "frontrow-booking-service")["CASSANDRA_PASSWORD"]
	if password != "data-backends/cassandra-password" {
		t.Errorf("Cassandra's password is %s", password)
	}
	where := profile(t, "data").objects(t).get(t, "ConfigMap data-backends").Data
	if role := where["CASSANDRA_USERNAME"]; role != "booking" {
		t.Errorf("Cassandra's role is %q", role)
	}
	for _, name := range list.names("Deployment") {
		if token := list.env(t, name)["CONSUL_HTTP_TOKEN"]; token != "data-backends/consul-token" {
			t.Errorf("%s has Consul's token %q", name, token)
		}
	}
}

func TestTLSLeavesNoPortInPlainText(t *testing.T) {
	list := profile(t, "data-tls").objects(t)
	for _, listener := range kafkaListeners(t, list) {
		if !strings.HasSuffix(listener, ":SASL_SSL") {
			t.Errorf("Kafka's listener %s", listener)
		}
	}
	cassandra := config(t, list, "data-cassandra", "cassandra.yaml")
	client, _ := cassandra["client_encryption_options"].(map[string]any)
	server, _ := cassandra["server_encryption_options"].(map[string]any)
	if client["enabled"] != true || client["optional"] == true || server["internode_encryption"] != "all" {
		t.Errorf("Cassandra: %v, %v", client, server)
	}
	ports, _ := config(t, list, "data-consul", "consul.json")["ports"].(map[string]any)
	if ports["http"] != -1 || ports["https"] != 8500 {
		t.Errorf("Consul's ports: %v", ports)
	}
	for _, file := range []string{"data-redis/redis.conf", "data-sentinel/sentinel.conf"} {
		object, key, _ := strings.Cut(file, "/")
		text := list.get(t, "ConfigMap "+object).Data[key]
		if !strings.Contains(text, "port 0\ntls-port ") || !strings.Contains(text, "\ntls-replication yes\n") {
			t.Errorf("%s:\n%s", file, text)
		}
	}
	if hba := list.get(t, "ConfigMap data-postgres").Data["pg_hba.conf"]; strings.Contains(hba, "\nhost ") {
		t.Errorf("Postgres takes connections without TLS:\n%s", hba)
	}
	secret := list.get(t, "Secret data-backends")
	for _, key := range []string{"auth-postgres-url", "event-postgres-url", "payment-postgres-url", "psp-postgres-url"} {
		query := address(t, secret, key).Query()
		if query.Get("sslmode") != "verify-full" || query.Get("sslrootcert") != "/etc/frontrow/authorities/postgres.crt" {
			t.Errorf("%s: %v", key, query)
		}
	}
	redis := address(t, secret, "redis-url")
	if redis.Scheme != "rediss" || redis.Query().Get("ca_file") != "/etc/frontrow/authorities/redis.crt" {
		t.Errorf("redis-url: %s with %v", redis.Scheme, redis.Query()["ca_file"])
	}
}

func TestServicesTrustTheBackendsAuthorities(t *testing.T) {
	for name, secret := range map[string]string{"frontrow-tls": "data-%-tls", "frontrow-production": "%-ca"} {
		list := profile(t, name).objects(t)
		of := func(backend string) string { return strings.ReplaceAll(secret, "%", backend) }
		env := list.env(t, "frontrow-booking-service")
		if env["KAFKA_CA"] != of("kafka")+"/ca.crt" || env["CASSANDRA_CA"] != of("cassandra")+"/ca.crt" {
			t.Errorf("%s: booking-service trusts %s and %s", name, env["KAFKA_CA"], env["CASSANDRA_CA"])
		}
		if env["CONSUL_HTTP_SSL"] != "true" || env["CONSUL_CACERT"] != "/etc/frontrow/authorities/consul.crt" {
			t.Errorf("%s: Consul over TLS: %q, %q", name, env["CONSUL_HTTP_SSL"], env["CONSUL_CACERT"])
		}
		for service, backends := range map[string][]string{
			"api-gateway": {"consul", "redis"}, "booking-service": {"consul", "redis"},
			"auth-service": {"consul", "postgres", "redis"}, "event-service": {"consul", "postgres"},
			"notification-service": {"consul", "postgres"}, "payment-service": {"consul", "postgres"},
		} {
			text := flat(t, list.get(t, "Deployment frontrow-"+service))
			for _, backend := range backends {
				if !strings.Contains(text, "name: "+of(backend)) || !strings.Contains(text, "path: "+backend+".crt") {
					t.Errorf("%s: %s has no file with the authority of %s", name, service, backend)
				}
			}
		}
	}
}

// The names are those in the addresses that the services get.
func TestCertificatesAreForTheNamesThatClientsDial(t *testing.T) {
	list := profile(t, "data-cert-manager").objects(t)
	where, secret := list.get(t, "ConfigMap data-backends").Data, list.get(t, "Secret data-backends")
	redis := address(t, secret, "redis-url")
	dialled := map[string][]string{
		"kafka":     strings.Split(where["KAFKA_BROKERS"], ","),
		"cassandra": {where["CASSANDRA_TLS_NAME"]},
		"consul":    {where["CONSUL_ADDR"]},
		"postgres":  {address(t, secret, "auth-postgres-url").Host},
		"redis":     append(redis.Query()["addr"], redis.Host, "data-redis-0", "data-redis-1"),
	}
	for backend, addresses := range dialled {
		var certificate struct {
			SecretName string   `yaml:"secretName"`
			DNSNames   []string `yaml:"dnsNames"`
		}
		name := "data-" + backend + "-tls"
		list.get(t, "Certificate "+name).spec(t, &certificate)
		if certificate.SecretName != name {
			t.Errorf("the certificate of %s is in %s", backend, certificate.SecretName)
		}
		for _, address := range addresses {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				host = address
			}
			if !slices.Contains(certificate.DNSNames, host) {
				t.Errorf("the certificate of %s is for %v, not for %s", backend, certificate.DNSNames, host)
			}
		}
	}
}

// kafkaListeners returns "<listener>:<protocol>" of all listeners.
func kafkaListeners(t *testing.T, list objects) []string {
	t.Helper()
	w, _ := list.get(t, "StatefulSet data-kafka").workload(t)
	var listeners []string
	for _, v := range w.Template.Spec.Containers[0].Env {
		if v.Name == "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP" {
			listeners = strings.Split(v.Value, ",")
		}
	}
	if len(listeners) != 3 {
		t.Fatalf("Kafka has the listeners %v", listeners)
	}
	return listeners
}

// config decodes a YAML or JSON file in a ConfigMap.
func config(t *testing.T, list objects, object, file string) (content map[string]any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(list.get(t, "ConfigMap "+object).Data[file]), &content); err != nil {
		t.Fatal(err)
	}
	return content
}

// address returns the URL in a key of a Secret.
func address(t *testing.T, secret object, key string) *url.URL {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(secret.Data[key])
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := url.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
