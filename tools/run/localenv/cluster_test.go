package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

func newTestCluster(t *testing.T) *system {
	t.Helper()
	s, _ := newTestSystem(t)
	s.instance, s.ports = "cluster", portsOf("cluster")
	return s
}

func TestSentinelsAnswersNameTheClientsOwnLinks(t *testing.T) {
	v := view{replace: map[string]string{"30001": "30041", "23381": "30051"}}
	said := "*2\r\n$9\r\n127.0.0.1\r\n$5\r\n30001\r\n+switch-master frontrow 127.0.0.1 30001 127.0.0.1 23381\r\n:3000\r\n"
	want := "*2\r\n$9\r\n127.0.0.1\r\n$5\r\n30041\r\n+switch-master frontrow 127.0.0.1 30041 127.0.0.1 30051\r\n:3000\r\n"
	for name, from := range map[string]io.Reader{
		"whole":     strings.NewReader(said),
		"in pieces": iotest.OneByteReader(strings.NewReader(said)),
	} {
		var got bytes.Buffer
		if err := v.rewrite(&got, from); err != io.EOF { //nolint:errorlint // as it is
			t.Errorf("%s: %v", name, err)
		}
		if got.String() != want {
			t.Errorf("%s: got %q, want %q", name, got.String(), want)
		}
	}
}

func TestAnswerIsPassedOnBeforeTheNext(t *testing.T) {
	v := view{replace: map[string]string{"30001": "30041"}}
	sentinel, from := net.Pipe()
	to, client := net.Pipe()
	go func() { _ = v.rewrite(to, from) }()
	defer func() { _ = sentinel.Close() }()
	const answer = "$5\r\n30001\r\n"
	go func() { _, _ = io.WriteString(sentinel, answer) }()
	got := make([]byte, len(answer))
	if _, err := io.ReadFull(client, got); err != nil || string(got) != "$5\r\n30041\r\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

// A link shared by two parts would affect both.
func TestEveryLinkOfTheClusterHasANameAndAnAddressOfItsOwn(t *testing.T) {
	names, addresses := map[string]bool{}, map[string]bool{}
	for _, l := range newTestCluster(t).links() {
		if names[l.name] || addresses[l.listen] {
			t.Errorf("%s on %s is there twice", l.name, l.listen)
		}
		names[l.name], addresses[l.listen] = true, true
	}
	for _, want := range []string{
		"booking-service-1:redis-1", "booking-service-3:sentinel-2", "payment-service-2:postgres", "api-gateway-2:consul",
		"gateway:booking-service-1", "payment-service-1:provider", "psp-simulator:gateway", "psp-simulator:postgres",
		"notification-service:mail",
		"kafka-1:clients", "kafka-2:brokers", "kafka-3:controllers", "cassandra-1:clients", "cassandra-3:peers", "redis-2:peers",
	} {
		if !names[want] {
			t.Errorf("missing link %s", want)
		}
	}
}

// A process must be configured with its links: with the backend's own address, faults on the link would have
// no effect.
func TestProcessesOfTheClusterAreToldTheirLinks(t *testing.T) {
	s := newTestCluster(t)
	_, services := s.serviceProcesses(testSecrets())
	direct := []string{
		s.redisAddress(1), s.sentinelAddress(1), local(s.ports.backend(5432)), local(s.ports.backend(8500)), local(s.ports.backend(mailPort)),
		local(s.ports.service(providerPort)), local(s.ports.service(8080)), local(s.kafkaPort(1, kafkaDirectPort)), local(s.kafkaPort(1, kafkaClientPort)), cassandraHost(1) + ":26042",
	}
	for _, p := range services {
		for _, line := range p.env {
			if strings.HasPrefix(line, "HTTP_ADDR=") {
				continue
			}
			for _, address := range direct {
				if strings.Contains(line, address) {
					t.Errorf("%s is told %s", p.name, line)
				}
			}
		}
	}
}

func TestToxiproxyAndTheViewsStopAfterWhatSpeaksThroughThem(t *testing.T) {
	states := map[string]state{}
	for _, name := range []string{"api-gateway-1", "booking-service-1", providerName, "kafka-1", toxiproxyName, viewsName} {
		states[name] = state{Name: name, Status: "Running"}
	}
	want := [][]string{{"api-gateway-1"}, {"booking-service-1", providerName}, {"kafka-1"}, {toxiproxyName, viewsName}}
	for i, wave := range shutdownWaves(states) {
		if len(wave) != len(want[i]) || (len(wave) == 1 && wave[0] != want[i][0]) {
			t.Errorf("wave %d is %v, want %v", i, wave, want[i])
		}
	}
}

func TestSupervisorRunsThisProgramForViews(t *testing.T) {
	s := &system{instance: "cluster", ports: portsOf("cluster")}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if s.program() != self {
		t.Errorf("the views are served by %s, not by %s", s.program(), self)
	}
}
