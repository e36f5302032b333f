// Package smtp sends mails to a mail server.
package smtp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	rendered "github.com/frontrow-tickets/frontrow/services/notification-service/internal/mail"
)

const (
	// stepTimeout limits connecting with log-in, and sending one mail.
	stepTimeout = 30 * time.Second
	// SendTimeout is the longest that Send takes: a stale connection, a new one,
	// and the mail.
	SendTimeout = 3 * stepTimeout
	// maxIdle is how long a connection is kept for the next mail.
	maxIdle = 5 * time.Second
)

// RejectedError means that the mail server refused the mail for good.
type RejectedError struct{ Err error }

// Error returns the server's answer.
func (e *RejectedError) Error() string { return "rejected: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *RejectedError) Unwrap() error { return e.Err }

// Server is a mail server. It may be used concurrently.
type Server struct {
	client *mail.Client
	from   *netmail.Address

	mu   sync.Mutex
	idle []connection
}

type connection struct {
	*smtp.Client
	since time.Time
}

// NewServer returns the mail server at address, smtp://user:password@host:587
// (STARTTLS is required unless ?tls=none) or smtps://host:465. It connects when
// a mail is sent. from is the sender, such as "Frontrow <tickets@example.org>".
func NewServer(address, from string) (*Server, error) {
	sender, err := netmail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("MAIL_FROM: %w", err)
	}
	host, options, err := parse(address)
	if err != nil {
		// The cause may quote the password.
		return nil, errors.New("SMTP_URL: want smtp://user:password@host:587, with ?tls=none for a server without TLS and " +
			"log-in, or smtps://user:password@host:465")
	}
	client, err := mail.NewClient(host, options...)
	if err != nil {
		return nil, fmt.Errorf("SMTP_URL: %w", err)
	}
	return &Server{client: client, from: sender}, nil
}

func parse(address string) (host string, options []mail.Option, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", nil, err
	}
	// The connection is closed after an error and needs no RSET after a success.
	options = []mail.Option{mail.WithTimeout(stepTimeout), mail.WithoutRset()}
	port := 587
	mode := u.Scheme + "/" + u.Query().Get("tls")
	switch mode {
	case "smtps/":
		port = 465
		options = append(options, mail.WithSSL())
	case "smtp/", "smtp/starttls":
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case "smtp/none":
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return "", nil, errors.New("unknown scheme or tls")
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil {
			return "", nil, err
		}
	}
	options = append(options, mail.WithPort(port))
	if u.User != nil {
		if mode == "smtp/none" {
			return "", nil, errors.New("a password needs TLS")
		}
		password, _ := u.User.Password()
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover),
			mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	if u.Hostname() == "" {
		return "", nil, errors.New("no host")
	}
	return u.Hostname(), options, nil
}

// Send sends a mail to one recipient. The mail's Message-ID is derived from
// reason, so that a receiver can discard a copy: after an error other than
// *RejectedError, the server may or may not have accepted the mail.
func (s *Server) Send(ctx context.Context, reason, to string, m rendered.Message) error {
	msg, err := s.message(reason, to, m)
	if err != nil {
		return &RejectedError{err}
	}
	conn := s.take()
	if conn != nil {
		err = s.client.SendWithSMTPClient(conn, msg)
		var failure *mail.SendError
		if errors.As(err, &failure) && failure.Reason == mail.ErrConnCheck {
			_ = conn.Close() // the server closed it meanwhile; nothing was sent
			conn = nil
		}
	}
	if conn == nil {
		if conn, err = s.client.DialToSMTPClientWithContext(ctx); err != nil {
			return fmt.Errorf("connect to mail server: %w", err)
		}
		err = s.client.SendWithSMTPClient(conn, msg)
	}
	if err != nil {
		_ = conn.Close()
		return classify(err)
	}
	s.put(conn)
	return nil
}

// classify returns a *RejectedError if the server refused the recipient or the
// mail itself. It is not about the mail if the server wants a log-in (530).
func classify(err error) error {
	var failure *mail.SendError
	if errors.As(err, &failure) && failure.ErrorCode() >= 500 && failure.ErrorCode() != 530 &&
		slices.Contains([]mail.SendErrReason{mail.ErrSMTPRcptTo, mail.ErrSMTPData, mail.ErrSMTPDataClose}, failure.Reason) {
		return &RejectedError{err}
	}
	return fmt.Errorf("send mail: %w", err)
}

func (s *Server) message(reason, to string, m rendered.Message) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.FromMailAddress(s.from)
	// Without the name: whoever registers chooses it, and may not own the address.
	if err := msg.To(to); err != nil {
		return nil, fmt.Errorf("parse recipient: %w", err)
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageIDWithValue(messageID(reason, s.from.Address))
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no automatic replies
	msg.SetBodyString(mail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	for _, a := range m.Attachments {
		msg.AttachReadSeeker(a.Name, bytes.NewReader(a.Data), mail.WithFileContentType(mail.ContentType(a.ContentType)))
	}
	return msg, nil
}

func messageID(reason, from string) string {
	sum := sha256.Sum256([]byte(reason))
	return hex.EncodeToString(sum[:16]) + from[strings.LastIndex(from, "@"):]
}

// take returns an idle connection, or nil.
func (s *Server) take() *smtp.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.idle)
	if n == 0 {
		return nil
	}
	c := s.idle[n-1]
	s.idle = s.idle[:n-1]
	return c.Client
}

func (s *Server) put(c *smtp.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, connection{c, time.Now()})
}

// CloseIdle closes the connections that no mail has used for five seconds.
func (s *Server) CloseIdle() { s.close(time.Now().Add(-maxIdle)) }

// Close closes all idle connections.
func (s *Server) Close() { s.close(time.Now()) }

func (s *Server) close(unusedSince time.Time) {
	s.mu.Lock()
	var old []connection
	kept := s.idle[:0]
	for _, c := range s.idle {
		if c.since.After(unusedSince) {
			kept = append(kept, c)
		} else {
			old = append(old, c)
		}
	}
	s.idle = kept
	s.mu.Unlock()
	for _, c := range old {
		_ = s.client.CloseWithSMTPClient(c.Client)
	}
}
