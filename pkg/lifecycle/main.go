package lifecycle

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

// Program describes a service to Main.
type Program struct {
	Name string
	// Run serves until ctx ends.
	Run func(ctx context.Context) error
	// Migrate brings the stores to this version. It must be safe to run
	// concurrently. Nil if there is nothing to migrate.
	Migrate func(ctx context.Context) error
	// Commands are additional subcommands, by name. Each gets the arguments
	// after its name.
	Commands map[string]func(ctx context.Context, args []string) error
}

// Main runs the command line's subcommand: none serves, "migrate" migrates,
// "healthcheck" queries the running process's /readyz at ADMIN_ADDR (for images
// without a shell). It exits with 1 on an error.
func Main(p Program) { os.Exit(p.main()) }

func (p Program) main() (exitCode int) {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	command := p.Run
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "migrate":
			command = p.Migrate
		case "healthcheck":
			command = healthcheck
		default:
			command = nil
			if named := p.Commands[os.Args[1]]; named != nil {
				command = func(ctx context.Context) error { return named(ctx, os.Args[2:]) }
			}
		}
	}
	if command == nil {
		fmt.Fprintf(os.Stderr, "usage: %s [migrate|healthcheck]\n", p.Name)
		return 2
	}
	if os.Getenv("GOGC") == "" {
		// Most allocations live for one request and little is retained:
		// collecting less often saves more time than it costs memory.
		debug.SetGCPercent(300)
	}
	if err := command(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", p.Name, err)
		return 1
	}
	return 0
}

func healthcheck(ctx context.Context) error {
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
