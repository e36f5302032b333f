package redisclient_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// certificate writes a self-signed certificate for host, a name or an address,
// and its key to dir, as PREFIX.crt and PREFIX.key.
func certificate(t *testing.T, dir, prefix, host string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: prefix},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		prefix + ".crt": {Type: "CERTIFICATE", Bytes: der}, prefix + ".key": {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// startTLSServer starts a Redis that speaks TLS with the certificate PREFIX in
// dir and trusts those of ca.crt there. It returns its port.
func startTLSServer(t *testing.T, dir, prefix, conf string, args ...string) string {
	t.Helper()
	_, port, _ := net.SplitHostPort(testkit.FreeAddr(t))
	file := filepath.Join(t.TempDir(), "redis.conf")
	text := fmt.Sprintf("bind 127.0.0.1\nport 0\ntls-port %s\ndir %s\nsave \"\"\n"+
		"tls-auth-clients no\ntls-replication yes\n"+
		"tls-cert-file %[3]s/%[4]s.crt\ntls-key-file %[3]s/%[4]s.key\ntls-ca-cert-file %[3]s/ca.crt\n%[5]s",
		port, filepath.Dir(file), dir, prefix, conf)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("redis-server", append([]string{file}, args...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return port
}

// certificates writes those of a name and of an address, as name and address,
// and both into ca.crt.
func certificates(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	certificate(t, dir, "name", "localhost")
	certificate(t, dir, "address", "127.0.0.1")
	var both []byte
	for _, file := range []string{"name.crt", "address.crt"} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, text...)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.crt"), both, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestClientVerifiesAuthorityAndName(t *testing.T) {
	dir := certificates(t)
	port := startTLSServer(t, dir, "name", "requirepass secret")
	ping := func(host, ca string) error {
		file := url.QueryEscape(filepath.Join(dir, ca))
		return newClient(t, "rediss://:secret@"+net.JoinHostPort(host, port)+"/0?ca_file="+file).Ping(t.Context()).Err()
	}
	testkit.Eventually(t, "the right authority and name are accepted", func() bool {
		return ping("localhost", "ca.crt") == nil
	})
	if err := ping("localhost", "address.crt"); err == nil {
		t.Error("a certificate of another authority was accepted")
	}
	if err := ping("127.0.0.1", "ca.crt"); err == nil {
		t.Error("a certificate for another name was accepted")
	}
}

func TestClientVerifiesSentinelAndPrimaryByTheirOwnNames(t *testing.T) {
	dir := certificates(t)
	primary := startTLSServer(t, dir, "name", "requirepass secret\nreplica-announce-ip localhost")
	sentinel := startTLSServer(t, dir, "address", "requirepass secret\n"+
		"sentinel resolve-hostnames yes\nsentinel announce-hostnames yes\n"+
		"sentinel monitor frontrow localhost "+primary+" 1\nsentinel auth-pass frontrow secret\n", "--sentinel")
	ca := url.QueryEscape(filepath.Join(dir, "ca.crt"))
	ping := func(host string) error {
		query := "master_name=frontrow&password=secret&ca_file=" + ca
		return newClient(t, "rediss://:secret@"+net.JoinHostPort(host, sentinel)+"/0?"+query).Ping(t.Context()).Err()
	}
	testkit.Eventually(t, "the primary is found", func() bool { return ping("127.0.0.1") == nil })
	if err := ping("localhost"); err == nil {
		t.Error("a Sentinel with a certificate for another name was accepted")
	}
}

func TestUnusableAuthoritiesAreRefused(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.crt")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{
		"rediss://h:1/0?ca_file=/nowhere", "rediss://h:1/0?ca_file=" + empty, "redis://h:1/0?ca_file=" + empty,
	} {
		if _, err := redisclient.New(address); err == nil {
			t.Errorf("%s was taken", address)
		}
	}
}
