package kafka

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestCertificatesReachTheBroker(t *testing.T) {
	t.Parallel()
	ca, caKey := certificate(t, "authority", nil, nil)
	broker, brokerKey := certificate(t, "broker", ca, caKey)
	client, clientKey := certificate(t, "booking-service", ca, caKey)
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{broker.Raw}, PrivateKey: brokerKey}},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	came := make(chan string, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				// The first read performs the handshake.
				if _, err := conn.Read(make([]byte, 1)); err == nil {
					came <- conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName //nolint:forcetypeassert // of a TLS listener
				}
			}()
		}
	}()
	key, err := x509.MarshalPKCS8PrivateKey(clientKey)
	if err != nil {
		t.Fatal(err)
	}
	producer, err := NewProducer(Cluster{
		Brokers: listener.Addr().String(), CA: inPEM("CERTIFICATE", ca.Raw),
		Certificate: inPEM("CERTIFICATE", client.Raw), Key: inPEM("PRIVATE KEY", key),
	}, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = producer.Close(t.Context()) })
	testkit.Eventually(t, "a client with a certificate has come", func() bool { return len(came) > 0 })
	if name := <-came; name != "booking-service" {
		t.Errorf("the broker sees %q", name)
	}
}

func TestSecurityOfACluster(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cluster  Cluster
		protocol string
	}{
		{Cluster{}, "PLAINTEXT"},
		{Cluster{TLS: true}, "SSL"},
		{Cluster{CA: "x"}, "SSL"},
		{Cluster{Username: "u", Password: "p"}, "SASL_PLAINTEXT"},
		{Cluster{TLS: true, Username: "u", Password: "p"}, "SASL_SSL"},
		// A client that authenticates by certificate may have a user name and
		// no password.
		{Cluster{Certificate: "x", Username: "u"}, "SSL"},
	} {
		settings := *c.cluster.config(kafka.ConfigMap{})
		if got := settings["security.protocol"]; got != c.protocol {
			t.Errorf("%+v: %v, want %s", c.cluster, got, c.protocol)
		}
		if _, asked := settings["sasl.mechanisms"]; asked != (c.cluster.Password != "") {
			t.Errorf("%+v: logs in: %v", c.cluster, asked)
		}
	}
}

// certificate returns a certificate for 127.0.0.1, signed by parent or
// self-signed.
func certificate(t *testing.T, name string, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: parent == nil,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}

func inPEM(kind string, raw []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}))
}
