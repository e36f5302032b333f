// Package e2e holds the end-to-end tests. They need the running system that
// `make test` starts, go through the gateway, and check every exchange against
// api/openapi.yaml. Some stop backends, so no two tests run in parallel.
package e2e

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/contract"
	"github.com/frontrow-tickets/frontrow/test/system"
)

// State shared by all tests; it does not change after TestMain.
var (
	running   *system.System
	processes *system.Processes
	openAPI   *contract.Contract
	admin     *client.Client
)

func TestMain(m *testing.M) {
	if err := open(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func open() (err error) {
	if running, err = system.Open(); err != nil {
		return err
	}
	if processes, err = system.OpenProcesses(); err != nil {
		return err
	}
	if openAPI, err = contract.Load(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	anonymous := visitor()
	session, err := anonymous.Login(ctx, running.AdminEmail, running.AdminPassword)
	if err != nil {
		return fmt.Errorf("the admin can't log in: %w", err)
	}
	admin = anonymous.WithSession(session.SessionID)
	return nil
}

// visitor is an anonymous client whose exchanges are all checked.
func visitor() *client.Client { return client.New(running.URL, openAPI.Check) }
