package mail

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
)

// golden compares with a file of testdata, or writes it if UPDATE is set.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o750), os.WriteFile(file, []byte(got), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; UPDATE=1 rewrites it:\n%s", file, diff)
	}
}

func TestMailsLookAsRecorded(t *testing.T) {
	for language := range languages {
		for _, kind := range kinds {
			m := mustRender(t, content(kind, language))
			golden(t, filepath.Join(language, string(kind)+".txt"), "Subject: "+m.Subject+"\n\n"+m.Text)
			golden(t, filepath.Join(language, string(kind)+".html"), m.HTML)
		}
	}
}

func TestEveryKindIsTranslated(t *testing.T) {
	for language, texts := range languages {
		if diff := cmp.Diff(slices.Sorted(slices.Values(kinds)), slices.Sorted(maps.Keys(texts.kinds))); diff != "" {
			t.Errorf("%s: %s", language, diff)
		}
	}
	for _, kind := range kinds {
		english, german := mustRender(t, content(kind, "en")), mustRender(t, content(kind, "de"))
		lines := strings.Split(german.Text, "\n")
		for shared := range strings.SplitSeq(english.Text, "\n") {
			// Sentences end with a full stop; names, links and numbers do not.
			if strings.HasSuffix(shared, ".") && slices.Contains(lines, shared) {
				t.Errorf("%s: not translated: %s", kind, shared)
			}
		}
		if english.Subject == german.Subject {
			t.Errorf("%s: not translated: %s", kind, english.Subject)
		}
	}
	if other := mustRender(t, content(VerifyEmail, "fr")); other.Subject != mustRender(t, content(VerifyEmail, "en")).Subject {
		t.Errorf("an unknown language got %q, want English", other.Subject)
	}
}

func TestNoTemplateLeavesGap(t *testing.T) {
	phrases, err := fs.ReadFile(files, "templates/en/phrases.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`define "([^"]+)"`).FindAllStringSubmatch(string(phrases), -1) {
		if languages["de"].phrases.Lookup(name[1]) == nil {
			t.Errorf("phrase %q has no translation", name[1])
		}
	}
	gap := regexp.MustCompile(`<no value>|&lt;no value|\{\{|%!|ZgotmplZ|<nil>| {2}|\n\n\n| [,.]|<p[^>]*></p>`)
	for language := range languages {
		for _, kind := range kinds {
			for _, booked := range []string{"held", "confirmed", "expired"} {
				c := content(kind, language)
				c.Booking.Status = booked
				m := mustRender(t, c)
				_, body, _ := strings.Cut(m.HTML, "<body")
				for part, text := range map[string]string{
					"subject": m.Subject, "text": strings.ReplaceAll(m.Text, "\n  - ", "\n"), "html": body,
				} {
					if found := gap.FindString(text); found != "" {
						t.Errorf("%s %s, booking %s: %s has %q:\n%s", language, kind, booked, part, found, text)
					}
				}
			}
		}
	}
}

func TestEveryLinkIsAbsolute(t *testing.T) {
	links := map[Kind]string{
		VerifyEmail: "/verify#token=Zx-9_tokenOf43Characters", ResetPassword: "/reset#token=Zx-9_tokenOf43Characters",
		ConfirmOldEmail:   "/confirm-email#token=Zx-9_tokenOf43Characters",
		ConfirmNewEmail:   "/confirm-email#token=Zx-9_tokenOf43Characters",
		AlreadyRegistered: "/account", PasswordChanged: "/account", EmailChanged: "/account", SecondFactorChanged: "/account",
		AccountDeleted: "", Tickets: "/bookings/0193b3a0-5555-7abc-8def-000000000001",
		PaymentFailed:  "/bookings/0193b3a0-5555-7abc-8def-000000000001",
		Refunded:       "/bookings/0193b3a0-5555-7abc-8def-000000000001",
		EventChanged:   "/bookings/0193b3a0-5555-7abc-8def-000000000001",
		EventCancelled: "/bookings/0193b3a0-5555-7abc-8def-000000000001",
	}
	href := regexp.MustCompile(`href="([^"]*)"`)
	for language := range languages {
		for _, kind := range kinds {
			m := mustRender(t, content(kind, language))
			want := []string{publicURL}
			if links[kind] != "" {
				want = append(want, publicURL+links[kind])
			}
			var got []string
			for _, match := range href.FindAllStringSubmatch(m.HTML, -1) {
				got = append(got, match[1])
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
				t.Errorf("%s %s: %s", language, kind, diff)
			}
			if !strings.Contains(m.Text, "\n"+want[len(want)-1]+"\n") {
				t.Errorf("%s %s: the text lacks %s:\n%s", language, kind, want[len(want)-1], m.Text)
			}
		}
	}
	ended := content(PaymentFailed, "en")
	ended.Booking.Status = "expired"
	if m := mustRender(t, ended); !strings.Contains(m.Text, "\n"+publicURL+"/events/0193b3a0-5555-7abc-8def-000000000002\n") {
		t.Errorf("a booking that has ended: no link to the event:\n%s", m.Text)
	}
}

func TestTextOfOthersCannotBreakOut(t *testing.T) {
	const evil = "a\r\nBcc: b@example.org\u2028c\u202ed\x00\xff<script>alert(1)</script>\n\n{{.Link}}"
	const want = "a Bcc: b@example.org cd<script>alert(1)</script> {{.Link}}"
	c := content(EventChanged, "en")
	c.Account.Name, c.NewEmail, c.Before.VenueName, c.After.VenueName = evil, evil, evil, evil+"2"
	c.After.Name = evil
	m := mustRender(t, c)
	if m.Subject != "Changed: "+want {
		t.Errorf("subject %q", m.Subject)
	}
	if !strings.Contains(m.Text, "\nVenue: "+want+" → "+want+"2\n") || !strings.Contains(m.Text, "\nHello "+want+",\n") {
		t.Errorf("text %q", m.Text)
	}
	if strings.Contains(m.HTML, "<script") || !strings.Contains(m.HTML, "Hello a Bcc: b@example.org cd&lt;script&gt;") {
		t.Errorf("html %q", m.HTML)
	}
	mail := content(ConfirmOldEmail, "en")
	mail.Token, mail.NewEmail = `x"&<>#y`, evil
	m = mustRender(t, mail)
	link := `href="` + publicURL + `/confirm-email#token=x%22%26%3C%3E%23y"`
	if !strings.Contains(m.HTML, link) || strings.Contains(m.HTML, "<script") {
		t.Errorf("html %q", m.HTML)
	}
}

func TestAccountMailCarriesNoName(t *testing.T) {
	for _, kind := range kinds[:slices.Index(kinds, Tickets)] {
		if m := mustRender(t, content(kind, "en")); strings.Contains(m.Subject+m.Text+m.HTML, "Zoë") {
			t.Errorf("%s names the account, whose name may be an advertisement:\n%s", kind, m.Text)
		}
	}
	if m := mustRender(t, content(Tickets, "en")); !strings.Contains(m.Text, "Hello Zoë") {
		t.Errorf("tickets do not name the buyer:\n%s", m.Text)
	}
}

func TestEveryReasonIsExplained(t *testing.T) {
	for language := range languages {
		seen := map[string]string{}
		distinct := func(reason string, c Content) {
			m := mustRender(t, c)
			if other := seen[m.Text]; other != "" {
				t.Errorf("%s: %s reads like %s:\n%s", language, reason, other, m.Text)
			}
			seen[m.Text] = reason
		}
		for _, failure := range []rest.FailureCode{
			"other", rest.FailureCodeCardDeclined, rest.FailureCodeInsufficientFunds, rest.FailureCodeBookingEnded,
		} {
			c := content(PaymentFailed, language)
			c.FailureCode = string(failure)
			distinct(string(failure), c)
		}
		for _, reason := range []events.CancelReason{
			"other", events.CancelledByBuyer, events.EventCancelled, events.HoldExpired, events.PaymentLate,
		} {
			c := content(Refunded, language)
			c.Reason = reason
			distinct(string(reason), c)
		}
	}
}

func TestChangeShowsOnlyWhatDiffers(t *testing.T) {
	m := mustRender(t, content(EventChanged, "en"))
	for _, want := range []string{
		"\nVenue: Große Halle, Berlin → Kleine Halle\n",
		"\nStarts: Friday, December 4, 2026 at 7:30\u00a0PM (Europe/Berlin) → " +
			"Friday, December 4, 2026 at 8:30\u00a0PM (Europe/Berlin)\n",
	} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("no %q in:\n%s", want, m.Text)
		}
	}
	for _, same := range []string{"\nEvent:", "\nEnds:"} {
		if strings.Contains(m.Text, same) {
			t.Errorf("%q has not changed:\n%s", same, m.Text)
		}
	}
	calendar := string(m.Attachments[0].Data)
	for _, want := range []string{"SEQUENCE:4\r\n", "DTSTART:20261204T193000Z\r\n", "LOCATION:Kleine Halle\r\n"} {
		if !strings.Contains(calendar, want) {
			t.Errorf("no %q in:\n%s", want, calendar)
		}
	}
}

func TestIncompleteContentIsRefused(t *testing.T) {
	for name, change := range map[string]func(*Content){
		"unknown kind":      func(c *Content) { c.Kind = "newsletter" },
		"no token":          func(c *Content) { c.Kind = VerifyEmail },
		"no booking":        func(c *Content) { c.Booking = nil },
		"no code":           func(c *Content) { c.Booking.Tickets[1].Code = "" },
		"no tickets":        func(c *Content) { c.Booking.Tickets = nil },
		"no facts":          func(c *Content) { c.Kind = EventChanged },
		"no difference":     func(c *Content) { *c = content(EventChanged, "en"); c.After = c.Before },
		"unknown time zone": func(c *Content) { c.Booking.TimeZone = "Europe/Atlantis" },
	} {
		c := content(Tickets, "en")
		change(&c)
		if m, err := Render(c); err == nil {
			t.Errorf("%s: rendered %q", name, m.Subject)
		}
	}
}

func TestTicketsComeAsPDFAndCalendar(t *testing.T) {
	var got []string
	for _, a := range mustRender(t, content(Tickets, "de")).Attachments {
		got = append(got, a.Name+" "+a.ContentType)
	}
	if diff := cmp.Diff([]string{
		"tickets-K7QM-29XD.pdf application/pdf", "event-K7QM-29XD.ics text/calendar; charset=utf-8; method=PUBLISH",
	}, got); diff != "" {
		t.Error(diff)
	}
}
