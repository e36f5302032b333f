// Command localenv runs Frontrow and its backends on a bare machine. The Makefile calls it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

const usage = `usage: localenv COMMAND [-instance up|test|bench|cluster] [-s PREFIX]

  up        start what is not running, and wait until it is ready
  down      stop everything, keep the data
  clean     stop everything, remove the data
  status    show the processes
  logs      show the last lines of the logs, and follow them on a terminal
  restart   restart the processes whose name begins with PREFIX
  env       print the addresses and the admin's login
  backends  get the backends and tools without starting anything
  where     print the folder of the backend PREFIX
  build     build the services
  lint      vet and lint every module
  test      lint, test every module, and run the end-to-end tests on an instance of its own
  bench     run the load test on an instance of its own
  views     (what the cluster's supervisor runs) rewrite the Sentinels' answers
`

// errReported ends the program with status 1 when the error has already been printed.
var errReported = errors.New("reported")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:])
	interrupted := ctx.Err() != nil
	stop()
	var status exitStatus
	switch {
	case err == nil:
	case errors.As(err, &status):
		os.Exit(int(status))
	case interrupted:
		fmt.Fprintln(os.Stderr, "interrupted")
		os.Exit(130)
	default:
		if !errors.Is(err, errReported) {
			fmt.Fprintln(os.Stderr, "error: "+strings.TrimSpace(err.Error()))
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	commands := map[string]func(*system, context.Context) error{
		"up":       (*system).upAndGreet,
		"down":     (*system).down,
		"clean":    (*system).clean,
		"status":   (*system).status,
		"logs":     (*system).logs,
		"restart":  (*system).restart,
		"env":      (*system).printEnv,
		"backends": (*system).prepare,
		"where":    (*system).where,
		"build":    (*system).build,
		"lint":     (*system).lint,
		"test":     (*system).test,
		"bench":    (*system).bench,
		"views":    (*system).serveViews,
	}
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprint(os.Stderr, usage)
		return errReported
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	instanceName := flags.String("instance", "up", "which instance: "+strings.Join(instances, ", "))
	prefix := flags.String("s", "", "beginning of the processes' names")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "test", "bench":
		*instanceName = args[0]
	case "views":
		*instanceName = "cluster"
	}
	if !slices.Contains(instances, *instanceName) {
		return fmt.Errorf("there is no instance %q: it is one of %s", *instanceName, strings.Join(instances, ", "))
	}
	s, err := newSystem(*instanceName, *prefix)
	if err != nil {
		return err
	}
	return commands[args[0]](s, ctx)
}
