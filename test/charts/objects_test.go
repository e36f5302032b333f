package charts

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// object holds what the tests read of a Kubernetes object.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name string }
	Data       map[string]string
	StringData map[string]string `yaml:"stringData"`
	Spec       yaml.Node
}

func (o object) name() string { return o.Kind + " " + o.Metadata.Name }

type pod struct {
	AutomountServiceAccountToken *bool `yaml:"automountServiceAccountToken"`
	SecurityContext              struct {
		RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
		SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	Containers     []container
	InitContainers []container `yaml:"initContainers"`
	Volumes        []struct{ Name string }
}

type container struct {
	Name  string
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	Env       []variable
	EnvFrom   []struct{ ConfigMapRef, SecretRef reference } `yaml:"envFrom"`
	Resources struct{ Limits, Requests map[string]string }

	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
	SecurityContext struct {
		AllowPrivilegeEscalation *bool                   `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool                    `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string } `yaml:"capabilities"`
	} `yaml:"securityContext"`
}

type variable struct {
	Name, Value string
	ValueFrom   struct {
		SecretKeyRef reference `yaml:"secretKeyRef"`
	} `yaml:"valueFrom"`
}

type reference struct {
	Name, Key string
	Optional  bool
}

func (p pod) all() []container { return slices.Concat(p.InitContainers, p.Containers) }

// workload is an object that runs pods.
type workload struct {
	Replicas *int
	Template struct {
		Metadata struct{ Labels map[string]string }
		Spec     pod
	}
	VolumeClaimTemplates []struct{ Metadata struct{ Name string } } `yaml:"volumeClaimTemplates"`
}

func (o object) workload(t *testing.T) (w workload, ok bool) {
	t.Helper()
	switch o.Kind {
	case "Deployment", "StatefulSet", "DaemonSet":
		o.spec(t, &w)
		return w, true
	case "Pod":
		o.spec(t, &w.Template.Spec)
		return w, true
	}
	return w, false
}

func (o object) spec(t *testing.T, into any) {
	t.Helper()
	if err := o.Spec.Decode(into); err != nil {
		t.Fatalf("%s: %v", o.name(), err)
	}
}

type objects []object

func decode(t *testing.T, text string) (list objects) {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var o object
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		if o.APIVersion != "" || o.Kind != "" || o.Metadata.Name != "" { // not an empty document
			list = append(list, o)
		}
	}
}

func (p Profile) objects(t *testing.T) objects {
	t.Helper()
	return decode(t, p.render(t))
}

// get returns the object called "<kind> <name>".
func (list objects) get(t *testing.T, name string) object {
	t.Helper()
	for _, o := range list {
		if o.name() == name {
			return o
		}
	}
	t.Fatalf("there is no %s", name)
	return object{}
}

// names returns the names of all objects of a kind.
func (list objects) names(kind string) []string {
	var names []string
	for _, o := range list {
		if o.Kind == kind {
			names = append(names, o.Metadata.Name)
		}
	}
	slices.Sort(names)
	return names
}

// env returns the environment of a Deployment's first container. A variable
// from a Secret has the value "<secret>/<key>".
func (list objects) env(t *testing.T, deployment string) map[string]string {
	t.Helper()
	w, _ := list.get(t, "Deployment "+deployment).workload(t)
	env := map[string]string{}
	for _, v := range w.Template.Spec.Containers[0].Env {
		env[v.Name] = v.Value
		if from := v.ValueFrom.SecretKeyRef; from.Name != "" {
			env[v.Name] = from.Name + "/" + from.Key
		}
	}
	return env
}

// flat returns an object's spec as YAML.
func flat(t *testing.T, o object) string {
	t.Helper()
	text, err := yaml.Marshal(&o.Spec)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
