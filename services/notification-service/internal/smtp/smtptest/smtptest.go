// Package smtptest is a mail server for tests.
package smtptest

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/mail"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Mail is a mail that the server accepted.
type Mail struct {
	To, Subject, MessageID string
	Header                 mail.Header
	Raw                    []byte
}

// Server is a mail server that keeps what it accepts.
type Server struct {
	// Addr is host:port. It stays the same when the server starts again.
	Addr string
	// Rcpt and Data, if set, may refuse a recipient or a mail. Set them before
	// the first mail.
	Rcpt func(to string) error
	Data func(to string) error
	// User and Password, if set, are required. Set them before the first mail.
	User, Password string
	// TLS, if set, offers STARTTLS, or is spoken at once if Implicit. Set them
	// before Start.
	TLS      *tls.Config
	Implicit bool

	mu       sync.Mutex
	mails    []Mail
	sessions int
	// stop closes the listener and all connections.
	stop func()
}

// New returns a server that has an address and does not listen yet.
func New(t testing.TB) *Server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s := &Server{Addr: ln.Addr().String()}
	t.Cleanup(s.Stop)
	return s
}

// Start listens until Stop or the end of the test.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	ln, err := net.Listen("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sessions++
		return &session{server: s}, nil
	}))
	server.ErrorLog = log.New(io.Discard, "", 0)
	server.TLSConfig = s.TLS
	if s.Implicit {
		ln, server.TLSConfig = tls.NewListener(ln, s.TLS), nil
	}
	s.mu.Lock()
	s.stop = func() {
		_ = ln.Close() // Serve may not have begun
		_ = server.Close()
	}
	s.mu.Unlock()
	go func() { _ = server.Serve(ln) }()
}

// Stop closes the listener and all connections.
func (s *Server) Stop() {
	s.mu.Lock()
	stop := s.stop
	s.stop = nil
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// Mails returns the accepted mails to an address, or all if it is empty.
func (s *Server) Mails(to string) []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Mail
	for _, m := range s.mails {
		if to == "" || m.To == to {
			out = append(out, m)
		}
	}
	return out
}

// Sessions counts the connections so far.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

// session is one connection.
type session struct {
	server   *Server
	loggedIn bool
	to       string
}

// AuthMechanisms offers PLAIN if a log-in is required.
func (c *session) AuthMechanisms() []string {
	if c.server.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth checks user and password.
func (c *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != c.server.User || password != c.server.Password {
			return smtp.ErrAuthFailed
		}
		c.loggedIn = true
		return nil
	}), nil
}

// Mail begins a mail.
func (c *session) Mail(string, *smtp.MailOptions) error {
	if c.server.User != "" && !c.loggedIn {
		return smtp.ErrAuthRequired
	}
	return nil
}

// Rcpt sets the recipient.
func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if c.server.Rcpt != nil {
		if err := c.server.Rcpt(to); err != nil {
			return err
		}
	}
	if c.to != "" {
		return errors.New("a second recipient")
	}
	c.to = to
	return nil
}

// Data accepts the mail.
func (c *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if c.server.Data != nil {
		if err := c.server.Data(c.to); err != nil {
			return err
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.server.mails = append(c.server.mails, Mail{
		To: c.to, Subject: m.Header.Get("Subject"), MessageID: m.Header.Get("Message-Id"), Header: m.Header, Raw: raw,
	})
	return nil
}

// Reset ends a mail.
func (c *session) Reset() { c.to = "" }

// Logout ends the connection.
func (c *session) Logout() error { return nil }
