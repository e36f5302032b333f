package charts

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestEveryProfileFollowsTheRules(t *testing.T) {
	for _, p := range Profiles {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			list := p.objects(t)
			if len(list) == 0 {
				t.Fatal("nothing is rendered")
			}
			namesAreUnique(t, list)
			podsAreRestricted(t, list)
			containersHaveLimits(t, list)
			podsHaveNetworkPolicies(t, list)
			adminPortsAreForMonitoring(t, list)
			volumesExist(t, list)
			secretsExist(t, p, list)
		})
	}
}

func namesAreUnique(t *testing.T, list objects) {
	t.Helper()
	seen := map[string]bool{}
	for _, o := range list {
		if o.APIVersion == "" || o.Kind == "" || o.Metadata.Name == "" {
			t.Errorf("%q %q has no version, kind or name", o.APIVersion, o.name())
		}
		if seen[o.name()] {
			t.Errorf("%s is rendered twice", o.name())
		}
		seen[o.name()] = true
	}
}

// podsAreRestricted checks what a namespace with the Pod Security Standard
// "restricted" demands, and that no pod gets a token for the API server.
func podsAreRestricted(t *testing.T, list objects) {
	t.Helper()
	for _, o := range list {
		w, ok := o.workload(t)
		if !ok {
			continue
		}
		p := w.Template.Spec
		if !p.SecurityContext.RunAsNonRoot || p.SecurityContext.SeccompProfile.Type != "RuntimeDefault" {
			t.Errorf("%s may run as root or without seccomp: %+v", o.name(), p.SecurityContext)
		}
		if p.AutomountServiceAccountToken == nil || *p.AutomountServiceAccountToken {
			t.Errorf("%s gets a token for the API server", o.name())
		}
		for _, c := range p.all() {
			s := c.SecurityContext
			if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) {
				t.Errorf("%s, container %s may gain privileges: %+v", o.name(), c.Name, s)
			}
		}
	}
}

func containersHaveLimits(t *testing.T, list objects) {
	t.Helper()
	for _, o := range list {
		w, _ := o.workload(t)
		for _, c := range w.Template.Spec.all() {
			r := c.Resources
			if r.Requests["cpu"] == "" || r.Requests["memory"] == "" || r.Limits["memory"] == "" {
				t.Errorf("%s, container %s lacks a request or a limit of memory: %v", o.name(), c.Name, r)
			}
		}
	}
}

// podsHaveNetworkPolicies checks that a policy names each pod by
// app.kubernetes.io/name: the release's default policy lets nobody in.
func podsHaveNetworkPolicies(t *testing.T, list objects) {
	t.Helper()
	const label = "app.kubernetes.io/name"
	named := map[string]bool{}
	for _, o := range list {
		if o.Kind == "NetworkPolicy" {
			var policy struct {
				PodSelector struct {
					MatchLabels      map[string]string `yaml:"matchLabels"`
					MatchExpressions []struct {
						Key    string
						Values []string
					} `yaml:"matchExpressions"`
				} `yaml:"podSelector"`
			}
			o.spec(t, &policy)
			named[policy.PodSelector.MatchLabels[label]] = true
			for _, e := range policy.PodSelector.MatchExpressions {
				for _, value := range e.Values {
					named[value] = named[value] || e.Key == label
				}
			}
		}
	}
	for _, o := range list {
		if w, ok := o.workload(t); ok && o.Kind != "Pod" && !named[w.Template.Metadata.Labels[label]] {
			t.Errorf("%s has no NetworkPolicy", o.name())
		}
	}
}

// adminPortsAreForMonitoring checks that policies open the ports of metrics,
// health and profiles to nobody but Prometheus and Consul's agents, which are
// in pods or namespaces that the rule names. The kubelet is always let in.
func adminPortsAreForMonitoring(t *testing.T, list objects) {
	t.Helper()
	admin := map[int]bool{}
	for _, o := range list {
		w, _ := o.workload(t)
		for _, c := range w.Template.Spec.Containers {
			for _, p := range c.Ports {
				admin[p.ContainerPort] = admin[p.ContainerPort] || p.Name == "admin"
			}
		}
	}
	for _, o := range list {
		if o.Kind != "NetworkPolicy" {
			continue
		}
		var policy struct {
			Ingress []struct {
				Ports []struct{ Port int }
				From  []struct {
					PodSelector       selector `yaml:"podSelector"`
					NamespaceSelector selector `yaml:"namespaceSelector"`
				}
			}
		}
		o.spec(t, &policy)
		for _, rule := range policy.Ingress {
			isAdmin := func(p struct{ Port int }) bool { return admin[p.Port] }
			if len(rule.Ports) > 0 && !slices.ContainsFunc(rule.Ports, isAdmin) {
				continue
			}
			if len(rule.From) == 0 {
				t.Errorf("%s opens the admin port to everybody", o.name())
			}
			for _, peer := range rule.From {
				pod := peer.PodSelector.MatchLabels["app.kubernetes.io/name"]
				if len(peer.NamespaceSelector.MatchLabels) == 0 && pod != "consul-agent" {
					t.Errorf("%s opens the admin port to %+v", o.name(), peer)
				}
			}
		}
	}
}

// volumesExist checks that every mount has a path and names a volume of its
// pod.
func volumesExist(t *testing.T, list objects) {
	t.Helper()
	for _, o := range list {
		w, _ := o.workload(t)
		volumes := map[string]bool{}
		for _, v := range w.Template.Spec.Volumes {
			volumes[v.Name] = true
		}
		for _, v := range w.VolumeClaimTemplates {
			volumes[v.Metadata.Name] = true
		}
		for _, c := range w.Template.Spec.all() {
			for _, m := range c.VolumeMounts {
				if !volumes[m.Name] || m.MountPath == "" {
					t.Errorf("%s, container %s mounts %q at %q", o.name(), c.Name, m.Name, m.MountPath)
				}
			}
		}
	}
}

type selector struct {
	MatchLabels map[string]string `yaml:"matchLabels"`
}

// given are the Secrets that a profile expects from somebody else, with their
// keys: charts/frontrow/values-production.yaml lists its own, operators make
// the others.
var given = map[string]map[string][]string{
	"frontrow":           {"frontrow-mail": {"smtp-url"}},
	"frontrow-operators": {"data-cluster-ca-cert": {"ca.crt"}, "data-superuser": {"username", "password"}},
	"frontrow-production": {
		"frontrow-keys": {
			"identity-auth-service", "identity-event-service", "identity-booking-service", "identity-payment-service",
			"identity-notification-service", "identity-payment-to-booking", "identity-notification-to-auth",
			"identity-notification-to-booking", "auth-key", "ticket-signing-key", "psp-api-key", "psp-webhook-secret", "admin-password",
		},
		"frontrow-backends": {"auth-postgres-url", "event-postgres-url", "notification-postgres-url", "payment-postgres-url", "redis-url"},
		"frontrow-mail":     {"smtp-url"},
		"cassandra":         {"username", "password"},
		"kafka-ca":          {"ca.crt"},
		"cassandra-ca":      {"ca.crt"},
	},
	"frontrow-tls": {"data-kafka-tls": {"ca.crt"}, "data-cassandra-tls": {"ca.crt"}},
}

// secretsExist checks that every key of a Secret that a container needs is
// made by this profile, by the same profile of the backends, by the files that
// Tilt applies first, or is given.
func secretsExist(t *testing.T, p Profile, list objects) {
	t.Helper()
	made := slices.Clone(list)
	if p.Chart == "frontrow" {
		backends := p
		backends.Chart, backends.Release, backends.Sets = "frontrow-data", "data", nil
		made = append(made, backends.objects(t)...)
	}
	if slices.Contains(p.Values, "tilt") {
		for _, file := range []string{"../../tilt/backends-secret.yaml", "../../tilt/keys.yaml"} {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, decode(t, string(text))...)
		}
	}
	keys := map[string][]string{}
	for _, o := range made {
		if o.Kind == "Secret" {
			keys[o.Metadata.Name] = slices.Concat(slices.Collect(maps.Keys(o.Data)), slices.Collect(maps.Keys(o.StringData)))
		}
	}
	maps.Copy(keys, given[p.Name])
	for _, o := range list {
		w, _ := o.workload(t)
		for _, c := range w.Template.Spec.all() {
			for _, v := range c.Env {
				from := v.ValueFrom.SecretKeyRef
				// Strimzi makes one of several keys: they are optional.
				if from.Name != "" && !from.Optional && !slices.Contains(keys[from.Name], from.Key) {
					t.Errorf("%s, container %s: %s is from key %s of Secret %s, which has %s",
						o.name(), c.Name, v.Name, from.Key, from.Name, strings.Join(keys[from.Name], ", "))
				}
			}
		}
	}
}
