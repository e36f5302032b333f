package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// mailCatcher returns the address of the mail catcher, which has Mailpit's API,
// or "" if the system has none.
func mailCatcher() string { return os.Getenv("FRONTROW_MAIL_URL") }

// Mail is a mail in the mail catcher.
type Mail struct {
	ID, Subject, Text, HTML string
	Attachments             []struct{ PartID, FileName, ContentType string }
}

// FoundMail is a mail in a list.
type FoundMail struct {
	ID, MessageID string
	To            []struct{ Address string }
}

// maxFound is how many mails a search returns.
const maxFound = 1000

// FindMails searches the mail catcher, for example for subject:"Your tickets".
// It returns the newest 1,000 mails, newest first.
func FindMails(ctx context.Context, query string) ([]FoundMail, error) {
	if mailCatcher() == "" {
		return nil, errors.New("FRONTROW_MAIL_URL is not set: the system has no mail catcher")
	}
	var found struct{ Messages []FoundMail }
	values := url.Values{"query": {query}, "limit": {strconv.Itoa(maxFound)}}
	err := catcherJSON(ctx, "/api/v1/search?"+values.Encode(), &found)
	return found.Messages, err
}

// Mails returns the mails to an address, newest first.
func Mails(ctx context.Context, to string) ([]Mail, error) {
	found, err := FindMails(ctx, `to:"`+to+`"`)
	if err != nil {
		return nil, err
	}
	mails := make([]Mail, len(found))
	for i, m := range found {
		if err := catcherJSON(ctx, "/api/v1/message/"+url.PathEscape(m.ID), &mails[i]); err != nil {
			return nil, err
		}
	}
	return mails, nil
}

func catcherJSON(ctx context.Context, path string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, mailCatcher()+path, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("mail catcher: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("mail catcher: GET %s: status %d", path, resp.StatusCode)
	}
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		return fmt.Errorf("mail catcher: GET %s: %w", path, err)
	}
	return nil
}

// mailTimeout is how long a mail may take to arrive.
const mailTimeout = time.Minute

// MailedToken returns the token after link in the newest mail to an address that
// has such a link, such as /verify#token=. It waits for the mail.
func MailedToken(ctx context.Context, to, link string) (string, error) {
	token := regexp.MustCompile(regexp.QuoteMeta(link) + `([A-Za-z0-9_-]+)`)
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	for {
		mails, err := Mails(ctx, to)
		for _, m := range mails {
			if found := token.FindStringSubmatch(m.Text); found != nil {
				return found[1], nil
			}
		}
		if err != nil && ctx.Err() == nil {
			return "", err
		}
		if !clock.Sleep(ctx, 100*time.Millisecond) {
			return "", fmt.Errorf("no mail to %s with a link %s arrived within %v", to, link, mailTimeout)
		}
	}
}
