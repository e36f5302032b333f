package service

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/caarlos0/env/v11"
)

// Command runs one command line of a program. Args are the arguments after the
// subcommand's name.
type Command func(ctx context.Context, args []string) error

// Configured returns a command that parses its configuration, a struct with env
// tags, from the environment.
func Configured[C any](run func(context.Context, C) error) Command {
	return func(ctx context.Context, _ []string) error {
		cfg, err := env.ParseAs[C]()
		if err != nil {
			return err
		}
		return run(ctx, cfg)
	}
}

// Main runs the command line's subcommand: none runs serve, and "healthcheck"
// queries the running process's /readyz at ADMIN_ADDR (for images without a
// shell). "migrate", where a service has it, brings the stores to this version
// and is safe to run concurrently. Main exits with 1 on an error.
func Main(name string, serve Command, subcommands map[string]Command) {
	os.Exit(execute(name, serve, subcommands, os.Args[1:]))
}

func execute(name string, serve Command, subcommands map[string]Command, args []string) (exitCode int) {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	all := map[string]Command{"": serve, "healthcheck": healthcheck}
	maps.Copy(all, subcommands)
	subcommand := ""
	if len(args) > 0 {
		subcommand, args = args[0], args[1:]
	}
	command := all[subcommand]
	if command == nil {
		fmt.Fprintf(os.Stderr, "usage: %s [%s]\n", name, strings.Join(slices.Sorted(maps.Keys(all))[1:], "|"))
		return 2
	}
	if os.Getenv("GOGC") == "" {
		// Most allocations live for one request and little is retained:
		// collecting less often saves more time than it costs memory.
		debug.SetGCPercent(300)
	}
	if err := command(ctx, args); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}

func healthcheck(ctx context.Context, _ []string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	addr := os.Getenv("ADMIN_ADDR")
	if strings.HasPrefix(addr, ":") {
		addr = "127.0.0.1" + addr
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", resp.Status)
	}
	return nil
}
