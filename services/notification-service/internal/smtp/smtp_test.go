package smtp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	gosmtp "github.com/emersion/go-smtp"

	rendered "github.com/frontrow-tickets/frontrow/services/notification-service/internal/mail"
	"github.com/frontrow-tickets/frontrow/services/notification-service/internal/smtp/smtptest"
)

const from = "Frontrow <tickets@example.org>"

var message = rendered.Message{
	Subject: "Grüße", Text: "plain", HTML: "<p>rich</p>",
	Attachments: []rendered.Attachment{{Name: "tickets.pdf", ContentType: "application/pdf", Data: []byte("%PDF")}},
}

// certificate returns a server's and a client's configuration for 127.0.0.1.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12},
		&tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
}

func newServer(t *testing.T, address string) *Server {
	t.Helper()
	s, err := NewServer(address, from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func plain(t *testing.T, sink *smtptest.Server) *Server {
	t.Helper()
	return newServer(t, "smtp://"+sink.Addr+"?tls=none")
}

func TestMailHasPartsAndHeaders(t *testing.T) {
	sink := smtptest.New(t)
	sink.Start(t)
	s := plain(t, sink)
	for range 2 {
		if err := s.Send(t.Context(), "tickets/1", "ann@example.com", message); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Send(t.Context(), "tickets/2", "ann@example.com", message); err != nil {
		t.Fatal(err)
	}
	got := sink.Mails("ann@example.com")
	if len(got) != 3 || sink.Sessions() != 1 {
		t.Fatalf("%d mails over %d connections, want 3 over 1", len(got), sink.Sessions())
	}
	a, b, c := got[0].MessageID, got[1].MessageID, got[2].MessageID
	if a != b || a == c || !strings.HasSuffix(a, "@example.org>") {
		t.Errorf("Message-IDs %q, %q, %q: want one for each reason", a, b, c)
	}
	for header, want := range map[string]string{
		"Auto-Submitted": "auto-generated", "From": `"Frontrow" <tickets@example.org>`, "To": "<ann@example.com>",
	} {
		if v := got[0].Header.Get(header); v != want {
			t.Errorf("%s: %q, want %q", header, v, want)
		}
	}
	for _, part := range []string{
		"multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf", "tickets.pdf", "JVBERg==",
	} {
		if !strings.Contains(string(got[0].Raw), part) {
			t.Errorf("the mail lacks %s:\n%s", part, got[0].Raw)
		}
	}
}

func TestConnectionIsEncryptedAndLoggedIn(t *testing.T) {
	serverTLS, clientTLS := certificate(t)
	for scheme, implicit := range map[string]bool{"smtp": false, "smtps": true} {
		t.Run(scheme, func(t *testing.T) {
			sink := smtptest.New(t)
			sink.TLS, sink.Implicit, sink.User, sink.Password = serverTLS, implicit, "frontrow", "p@ss word"
			sink.Start(t)
			send := func(password string) error {
				u := url.URL{Scheme: scheme, User: url.UserPassword("frontrow", password), Host: sink.Addr}
				s := newServer(t, u.String())
				if err := s.client.SetTLSConfig(clientTLS); err != nil {
					t.Fatal(err)
				}
				return s.Send(t.Context(), "r", "ann@example.com", message)
			}
			var rejected *RejectedError
			if err := send("wrong"); err == nil || errors.As(err, &rejected) {
				t.Errorf("a wrong password is no reason to give the mail up: %v", err)
			}
			if err := send("p@ss word"); err != nil {
				t.Error(err)
			}
			if n := len(sink.Mails("")); n != 1 {
				t.Errorf("%d mails", n)
			}
		})
	}
}

func TestServerWithoutSTARTTLSGetsNothing(t *testing.T) {
	sink := smtptest.New(t)
	sink.Start(t)
	err := newServer(t, "smtp://"+sink.Addr).Send(t.Context(), "r", "ann@example.com", message)
	if err == nil || len(sink.Mails("")) > 0 {
		t.Errorf("sent in the clear: %v", err)
	}
}

func TestOnlyRefusedMailIsRejected(t *testing.T) {
	refuse := func(code int) error { return &gosmtp.SMTPError{Code: code, Message: "refused"} }
	for name, tc := range map[string]struct {
		rcpt, data int
		to         string
		rejected   bool
	}{
		"unknown recipient":   {550, 0, "ann@example.com", true},
		"full mailbox":        {452, 0, "ann@example.com", false},
		"log-in wanted":       {530, 0, "ann@example.com", false},
		"spam":                {0, 554, "ann@example.com", true},
		"busy server":         {0, 451, "ann@example.com", false},
		"no address":          {0, 0, "ann", true},
		"header in the field": {0, 0, "ann@example.com>\r\nBcc: <bob@example.com", true},
	} {
		sink := smtptest.New(t)
		sink.Rcpt = func(string) error {
			if tc.rcpt != 0 {
				return refuse(tc.rcpt)
			}
			return nil
		}
		sink.Data = func(string) error {
			if tc.data != 0 {
				return refuse(tc.data)
			}
			return nil
		}
		sink.Start(t)
		err := plain(t, sink).Send(t.Context(), "r", tc.to, message)
		var rejected *RejectedError
		if err == nil || errors.As(err, &rejected) != tc.rejected {
			t.Errorf("%s: %v, rejected: want %v", name, err, tc.rejected)
		}
	}
}

func TestConnectionThatServerClosedIsReplaced(t *testing.T) {
	sink := smtptest.New(t)
	sink.Start(t)
	s := plain(t, sink)
	for range 3 {
		if err := s.Send(t.Context(), "r", "ann@example.com", message); err != nil {
			t.Fatal(err)
		}
		sink.Stop()
		sink.Start(t)
	}
	s.CloseIdle()
	if n := len(sink.Mails("")); n != 3 {
		t.Errorf("%d mails", n)
	}
	sink.Stop()
	var rejected *RejectedError
	if err := s.Send(t.Context(), "r", "ann@example.com", message); err == nil || errors.As(err, &rejected) {
		t.Errorf("a server that is away: %v", err)
	}
}

func TestInvalidConfigurationIsRefusedWithoutThePassword(t *testing.T) {
	for _, address := range []string{
		"mail.example.org:587", "http://mail.example.org", "smtp://mail.example.org?tls=maybe", "smtp://",
		"smtp://frontrow:geheim@mail.example.org?tls=none", "smtp://frontrow:geheim@mail.example.org:port",
		"smtps://x?tls=none",
	} {
		_, err := NewServer(address, from)
		if err == nil || strings.Contains(err.Error(), "geheim") || !strings.HasPrefix(err.Error(), "SMTP_URL: ") {
			t.Errorf("%s: %v", address, err)
		}
	}
	_, err := NewServer("smtps://mail.example.org", "Frontrow")
	if err == nil || !strings.HasPrefix(err.Error(), "MAIL_FROM: ") {
		t.Error(err)
	}
}
