package charts

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Helm does not know Strimzi's objects, and a cluster knows them only with the
// operators installed: this test decodes them with the operators' own classes.
func TestStrimziUnderstandsItsObjects(t *testing.T) {
	profiles := []Profile{
		{Name: "operators", Values: []string{"operators"}},
		{Name: "kind", Values: []string{"kind", "operators"}},
		{Name: "storage class", Values: []string{"operators"}, Sets: []string{"storageClass=fast"}},
	}
	texts := make([]string, len(profiles))
	for i, p := range profiles {
		texts[i] = p.renderData(t)
	}
	said, err := strimziSays(t, texts)
	if err != nil {
		t.Error(err)
	}
	for i, p := range profiles {
		t.Run(p.Name, func(t *testing.T) {
			count := map[string]int{}
			for _, line := range said[i] {
				if !strings.HasSuffix(line, ": ok") {
					t.Error(line)
				}
				kind, _, _ := strings.Cut(line, " ")
				count[kind]++
			}
			want := map[string]int{"Kafka": 1, "KafkaNodePool": 1, "KafkaTopic": 16, "KafkaUser": 5}
			if diff := cmp.Diff(want, count); diff != "" {
				t.Errorf("objects:\n%s", diff)
			}
		})
	}
}

func TestStrimziRefusesMistakes(t *testing.T) {
	const (
		nodes = "KafkaNodePool data-nodes: spec."
		user  = "KafkaUser data-kafka-auth-service: spec.authorization."
		topic = "KafkaTopic data-booking-created: "
	)
	mistakes := []struct {
		right, wrong string   // right is from the first object that contains it
		says         []string // beginnings of the lines
	}{
		{"\n  replicas: 3\n  roles:", "\n  replicaz: 3\n  roles:", []string{nodes + "replicaz: unknown field", nodes + "replicas: required"}},
		{"\n        operations: [Read]", "\n        operations: [Read]\n        permission: allow", []string{user + "acls[0].permission: unknown field"}},
		{"\n        operations: [Read]", "", []string{user + "acls[0].operations: required"}},
		{"operations: [Describe, Write]", "operations: [Describe, Wrote]", []string{user + `acls[1].operations[1]: "Wrote" is none`}},
		{"patternType: literal", "patternTyp: literal", []string{user + "acls[0].resource.patternTyp: unknown field"}},
		{"roles: [controller, broker]", "roles: [controller, Broker]", []string{nodes + `roles[1]: "Broker" is none`}},
		{"type: jbod", "type: jbot", []string{nodes + "storage: Could not resolve type id 'jbot'"}},
		{"    type: jbod", "    type: jbod\n    additionalProperties: {size: 1Gi}", []string{nodes + "storage.additionalProperties: unknown field"}},
		{"    type: jbod", "    type: jbod\n    size: 1Gi", []string{nodes + "storage.size: unknown field"}},
		{`"-Xmx": 1g`, `"-Xmx": 1Gi`, []string{nodes + `jvmOptions.-Xmx: "1Gi" does not match`}},
		{"enableServiceLinks: false\n      topology", "enableServiceLinks: false\n      topological", []string{nodes + "template.pod.topologicalSpreadConstraints: unknown field"}},
		{"memory: 384Mi", "memory: 384MB", []string{`Kafka data: spec.entityOperator.topicOperator.resources.limits.memory: "384MB" is no quantity`}},
		{"\n    version: 4.3.0", "\n    version: 4.3", []string{"Kafka data: spec.kafka.version: Cannot coerce"}},
		{"\n        tls: true", "\n        tls: \"true\"", []string{"Kafka data: spec.kafka.listeners[0].tls: Cannot coerce"}},
		{"partitions: 6", `partitions: "6"`, []string{topic + "spec.partitions: Cannot coerce"}},
		{"partitions: 6", "partitions: 0", []string{topic + "spec.partitions: 0 is less than 1"}},
		{"  name: data-booking-created\n  labels:", "  name: data-booking-created\n  label:", []string{topic + "metadata.label: unknown field"}},
		{"strimzi.io/v1\nkind: KafkaTopic", "strimzi.io/v1beta2\nkind: KafkaTopic", []string{topic + "no model of kafka.strimzi.io/v1beta2"}},
		{"strimzi.io/v1\nkind: KafkaTopic", "strimzi.io/v1\nkind: KafkaTopics", []string{"KafkaTopics data-booking-created: no model of"}},
	}
	rendered := Profile{Values: []string{"operators"}}.renderData(t)
	texts := make([]string, len(mistakes))
	for i, m := range mistakes {
		if !strings.Contains(rendered, m.right) {
			t.Fatalf("nothing rendered has %q", m.right)
		}
		texts[i] = strings.Replace(rendered, m.right, m.wrong, 1)
	}
	said, err := strimziSays(t, texts)
	if err == nil {
		t.Error("ended without an error")
	}
	for i, m := range mistakes {
		problems := slices.DeleteFunc(said[i], func(line string) bool { return strings.HasSuffix(line, ": ok") })
		if !slices.EqualFunc(problems, m.says, strings.HasPrefix) {
			t.Errorf("of %q it says %q, want %q", m.wrong, problems, m.says)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func (p Profile) renderData(t *testing.T) string {
	t.Helper()
	p.Chart, p.Release = "frontrow-data", "data"
	return p.render(t)
}

// strimziSays returns the lines that test/strimzi prints for each text.
func strimziSays(t *testing.T, texts []string) ([][]string, error) {
	t.Helper()
	jars := os.Getenv("FRONTROW_STRIMZI")
	if _, err := os.Stat(jars); err != nil {
		t.Fatal("FRONTROW_STRIMZI names no folder of jars: `make test` sets it, or get them by " +
			"`mvn -f test/strimzi dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=FOLDER`")
	}
	java := os.Getenv("FRONTROW_JAVA")
	if java == "" {
		java = "java"
	}
	check, err := filepath.Abs("../strimzi/Check.java")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(java, "-XX:TieredStopAtLevel=1", "-cp", filepath.Join(jars, "*"), check)
	command.Dir = t.TempDir()
	for i, text := range texts {
		name := strconv.Itoa(i)
		if err := os.WriteFile(filepath.Join(command.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		command.Args = append(command.Args, name)
	}
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	err = command.Run()
	if command.ProcessState == nil {
		t.Fatal("Java 17 is needed: ", err)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", java, err, complaints.String())
	}
	said := make([][]string, len(texts))
	for line := range strings.Lines(out.String()) {
		name, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		i, err := strconv.Atoi(name)
		if err != nil {
			t.Fatal(line)
		}
		said[i] = append(said[i], rest)
	}
	return said, err
}
