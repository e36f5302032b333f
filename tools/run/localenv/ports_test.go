package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

func TestPortsOfInstancesDoNotCollideAndStayBelowEphemeralOnes(t *testing.T) {
	const firstEphemeral = 32768
	owner := map[string]string{} // by address
	for _, instance := range instances {
		s, _ := newTestSystem(t)
		s.instance, s.ports = instance, portsOf(instance)
		_, services := s.serviceProcesses(testSecrets())
		for _, p := range append(s.backendProcesses(), services...) {
			for _, port := range p.ports {
				name := instance + " " + p.name
				if other := owner[p.at(port)]; other != "" {
					t.Errorf("%s belongs to %s and to %s", p.at(port), other, name)
				}
				if port >= firstEphemeral {
					t.Errorf("port %d of %s is an ephemeral one", port, name)
				}
				owner[p.at(port)] = name
			}
		}
	}
}

func TestPortInUseIsReportedWithItsHolder(t *testing.T) {
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	var number int
	if _, err := fmt.Sscan(port, &number); err != nil {
		t.Fatal(err)
	}
	err = checkPortsFree(t.Context(), []process{{name: "redis", ports: []int{number}}})
	want := fmt.Sprintf("process %d", os.Getpid())
	if err == nil || !strings.Contains(err.Error(), port) || !strings.Contains(err.Error(), "redis") || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want the port, redis and %s", err, want)
	}
}
