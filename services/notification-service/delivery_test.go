package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	gosmtp "github.com/emersion/go-smtp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/service/servicetest"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// asProgram makes the test's binary run as notification-service: a test can
// kill it.
const asProgram = "FRONTROW_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// startProcess runs the program as a process. kill ends it with SIGKILL.
func (p *program) startProcess(t *testing.T) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asProgram+"=1", "HTTP_ADDR=127.0.0.1:0", "ADMIN_ADDR=127.0.0.1:0",
		"INSTANCE_ID="+uuid.NewString(), "LOG_LEVEL=error",
		"IDENTITY_KEYS="+p.cfg.IdentityKeys, "IDENTITY_KEYS_AUTH="+p.cfg.AuthKeys, "IDENTITY_KEYS_BOOKING="+p.cfg.BookingKeys,
		"POSTGRES_URL="+p.cfg.PostgresURL, "KAFKA_BROKERS="+p.cfg.Kafka.Brokers, "SMTP_URL="+p.cfg.SMTPURL,
		"MAIL_FROM="+p.cfg.MailFrom, "PUBLIC_URL="+p.cfg.PublicURL,
		"DISCOVERY_DNS="+authService+"="+p.cfg.DiscoveryDNS[authService]+
			","+bookingService+"="+p.cfg.DiscoveryDNS[bookingService])
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(func() {
		kill()
		if t.Failed() {
			t.Logf("the process wrote:\n%s", output.String())
		}
	})
	return kill
}

// confirmAll publishes n confirmations of different buyers.
func (p *program) confirmAll(t *testing.T, n int) (buyers []events.Account) {
	t.Helper()
	messages := make([]any, n)
	for i := range n {
		buyers = append(buyers, p.buyer())
		messages[i] = confirmation(p.book(buyers[i], uuid.New(), rest.BookingStatusConfirmed))
	}
	p.publish(t, messages...)
	return buyers
}

// eachOnce checks that every buyer has got one mail.
func (p *program) eachOnce(t *testing.T, buyers []events.Account) {
	t.Helper()
	p.settledWith(t, len(buyers))
	for _, b := range buyers {
		if n := len(p.sink.Mails(b.Email)); n != 1 {
			t.Errorf("%d mails to one buyer", n)
		}
	}
	if n := len(p.sink.Mails("")); n != len(buyers) {
		t.Errorf("%d mails to %d buyers", n, len(buyers))
	}
}

func TestMailsWaitForTheMailServer(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.sink.Start(t)
	p.start(t)
	before := p.confirmAll(t, 20)
	p.settledWith(t, 20)
	p.sink.Stop()
	during := p.confirmAll(t, 100)
	testkit.Eventually(t, "all were tried", func() bool {
		return p.count(t, `SELECT count(*) FROM mails WHERE state = 'due' AND last_error <> ''`) == 100
	})
	p.sink.Start(t)
	p.eachOnce(t, append(before, during...))
}

func TestNewProcessSendsMailsOfAKilledOne(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	kill := p.startProcess(t)
	first := p.confirmAll(t, 50)
	testkit.Eventually(t, "the mails are stored", func() bool { return p.count(t, `SELECT count(*) FROM mails`) == 50 })
	kill()
	second := p.confirmAll(t, 50)
	p.sink.Start(t)
	// Whatever the dead process was sending is leased; in a test nobody waits.
	p.exec(t, `UPDATE mails SET due_at = now()`)
	p.startProcess(t)
	p.eachOnce(t, append(first, second...))
}

// A mail that the server has accepted and that is not marked when the process
// dies is sent again, with the same Message-ID.
func TestProcessKilledWhileSendingLosesNoMail(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.sink.Start(t)
	kill := p.startProcess(t)
	const n = 100
	buyers := p.confirmAll(t, n)
	testkit.Eventually(t, "some mails have arrived", func() bool { return len(p.sink.Mails("")) > n/10 })
	kill()
	if sent := p.count(t, `SELECT count(*) FROM mails WHERE state = 'sent'`); sent == n {
		t.Fatal("all mails were sent before the process was killed")
	}
	// The mails that the dead process was sending are still leased: make them due now.
	// Messages that it had not stored yet come from Kafka.
	_, err := p.pool.Exec(t.Context(), `UPDATE mails SET due_at = now() WHERE state = 'due'`)
	if err != nil {
		t.Fatal(err)
	}
	p.startProcess(t)
	p.settledWith(t, n)
	ids := map[string]bool{}
	for _, b := range buyers {
		got := p.sink.Mails(b.Email)
		if len(got) == 0 {
			t.Error("a mail is lost")
		}
		for _, m := range got {
			ids[m.MessageID] = true
		}
	}
	if len(ids) != n {
		t.Errorf("%d Message-IDs for %d mails", len(ids), n)
	}
	if again := len(p.sink.Mails("")) - n; again > 8 {
		t.Errorf("%d mails were sent again, more than were under way", again)
	}
}

func TestReplicasSendEachMailOnce(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.sink.Start(t)
	other := *p
	other.cfg.Config = servicetest.Config()
	p.start(t)
	other.start(t)
	p.eachOnce(t, p.confirmAll(t, 60))
}

func TestRecipientThatTheServerRefusesIsGivenUp(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	unknown, full := p.buyer(), p.buyer()
	var refusals atomic.Int32
	p.sink.Rcpt = func(to string) error {
		switch {
		case to == unknown.Email:
			return &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
		case to == full.Email && refusals.Add(1) < 3:
			return &gosmtp.SMTPError{Code: 452, EnhancedCode: gosmtp.EnhancedCode{4, 2, 2}, Message: "mailbox full"}
		}
		return nil
	}
	p.sink.Start(t)
	p.start(t)
	dead := accountMail(events.MailVerifyEmail, unknown)
	later := accountMail(events.MailVerifyEmail, full)
	p.publish(t, dead, later)
	p.becomes(t, "account/"+dead.ID.String(), "dead")
	p.becomes(t, "account/"+later.ID.String(), "sent")
	if n := p.count(t, `SELECT count(*) FROM mails WHERE state = 'dead' AND tries = 1 AND last_error LIKE '%550%'
		AND content::text NOT LIKE '%secret-token%'`); n != 1 {
		t.Error("the refused mail was tried again, has lost its error, or keeps its token")
	}
	if n := len(p.sink.Mails("")); n != 1 {
		t.Errorf("%d mails", n)
	}
}

func TestMailIsGivenUpAfterADay(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.start(t)
	m := accountMail(events.MailPasswordChanged, p.buyer())
	p.publish(t, m)
	testkit.Eventually(t, "it was tried", func() bool {
		return p.count(t, `SELECT count(*) FROM mails WHERE state = 'due' AND tries > 1`) == 1
	})
	p.exec(t, `UPDATE mails SET created_at = now() - interval '24 hours'`)
	p.becomes(t, "account/"+m.ID.String(), "dead")
}

func TestMailThatHangsDoesNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	slow := p.buyer()
	hang := make(chan struct{})
	release := sync.OnceFunc(func() { close(hang) })
	p.sink.Data = func(to string) error {
		if to == slow.Email {
			<-hang
		}
		return nil
	}
	p.sink.Start(t)
	p.start(t)
	t.Cleanup(release) // the program's end waits for the mail
	hanging := accountMail(events.MailPasswordChanged, slow)
	p.publish(t, hanging)
	p.stored(t, "account/"+hanging.ID.String())
	others := p.confirmAll(t, 20)
	for _, b := range others {
		testkit.Eventually(t, "the others arrive", func() bool { return len(p.sink.Mails(b.Email)) == 1 })
	}
	release()
	p.becomes(t, "account/"+hanging.ID.String(), "sent")
	if n := len(p.sink.Mails(slow.Email)); n != 1 {
		t.Errorf("%d mails", n)
	}
}

func TestUnreachableServerLeavesReadinessAlone(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0") // accepts and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	p.cfg.SMTPURL = "smtp://" + ln.Addr().String() + "?tls=none"
	p.start(t)
	p.publish(t, accountMail(events.MailPasswordChanged, p.buyer()))
	testkit.Eventually(t, "it is being sent", func() bool {
		return p.count(t, `SELECT count(*) FROM mails WHERE tries = 1`) == 1
	})
	if !p.Ready() {
		t.Error("not ready")
	}
	status, _, body := p.get(t, uuid.New(), "/api/v1/bookings/"+uuid.NewString()+"/tickets.pdf")
	if status != 404 || !strings.Contains(body, "not_found") {
		t.Errorf("%d %s", status, body)
	}
}
