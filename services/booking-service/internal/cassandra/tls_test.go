package cassandra

import (
	"crypto/tls"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestTLSNameIsVerified(t *testing.T) {
	node := httptest.NewTLSServer(http.NotFoundHandler())
	defer node.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: node.Certificate().Raw}))
	for _, c := range []struct {
		name     string
		accepted bool
	}{{"example.com", true}, {"data-cassandra", false}, {"", true}} {
		conn, err := tls.Dial("tcp", node.Listener.Addr().String(), tlsConfig(ca, c.name))
		if (err == nil) != c.accepted {
			t.Errorf("name %q: %v", c.name, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}
