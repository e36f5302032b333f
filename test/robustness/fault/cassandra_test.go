package fault

import (
	"os"
	"path/filepath"
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

func TestJoiningNodeHasItsOwnConfiguration(t *testing.T) {
	dir := t.TempDir()
	conf, data := filepath.Join(dir, "conf.yaml"), filepath.Join(dir, "cassandra-2")
	text := "initial_token: -3\nauto_bootstrap: false\n- seeds: \"127.0.1.1:24000\"\nlisten_address: 127.0.0.2\nbroadcast_address: 127.0.1.2\n" +
		"rpc_address: 127.0.0.2\nbroadcast_rpc_address: 127.0.1.2\ncommitlog_directory: " + data + "/commitlog\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	node, err := prepareJoin([]string{
		"java", "-Dcassandra.jmx.local.port=24200", "-Dcassandra.config=file://" + conf, "-Dcassandra.storagedir=" + data, "Daemon",
	}, 4)
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "cassandra-4")
	want := []string{
		"java", "-Dcassandra.jmx.local.port=24202", "-Dcassandra.config=file://" + own + "/cassandra.yaml", "-Dcassandra.storagedir=" + own, "Daemon",
	}
	if diff := cmp.Diff(want, node.command); diff != "" {
		t.Errorf("command (-want +got):\n%s", diff)
	}
	got, err := os.ReadFile(filepath.Join(own, "cassandra.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	wantConf := "initial_token: 0\nauto_bootstrap: true\n- seeds: \"127.0.1.1:24000\"\nlisten_address: 127.0.0.4\nbroadcast_address: 127.0.0.4\n" +
		"rpc_address: 127.0.0.4\nbroadcast_rpc_address: 127.0.0.4\ncommitlog_directory: " + own + "/commitlog\n"
	if diff := cmp.Diff(wantConf, string(got)); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}
