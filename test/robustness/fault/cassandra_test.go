package fault

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNodetoolSpeaksToItsNode(t *testing.T) {
	got, err := nodetoolCommand([]string{
		"/usr/bin/java", "@/conf/jvm.options", "-Xmx640M", "-Dcassandra.jmx.local.port=24200", "-cp", "/libs/*", "org.apache.cassandra.service.CassandraDaemon",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"/usr/bin/java", "@/conf/jvm.options", "-Xms16m", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-cp", "/libs/*", "org.apache.cassandra.tools.NodeTool", "-h", "127.0.0.1", "-p", "24200",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := nodetoolCommand([]string{"/usr/bin/java", "-cp", "/libs/*", "CassandraDaemon"}); err == nil {
		t.Error("a node without a port for JMX is no error")
	}
}
