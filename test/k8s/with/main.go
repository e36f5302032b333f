// Command with runs a command that needs the stores of a Frontrow in
// Kubernetes, such as `make demo`: it forwards their ports while the command
// runs, and passes their addresses in FRONTROW_… variables.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/frontrow-tickets/frontrow/test/k8s/cluster"
)

func main() {
	namespace := flag.String("namespace", "frontrow", "where the releases data and frontrow are")
	backends := flag.String("backends", "data-backends", "the Secret with the backends' passwords")
	url := flag.String("url", "", "of the ingress, such as http://localhost:8080; empty: a forwarded port of the gateway")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: with [flags] COMMAND...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, &cluster.Cluster{Namespace: *namespace}, *backends, *url, flag.Args())
	stop()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error: "+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, c *cluster.Cluster, secret, url string, command []string) error {
	if err := cluster.Require("kubectl"); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer c.Wait()
	defer cancel()
	if url == "" {
		port, err := c.Forward(ctx, "service/frontrow-api-gateway", 80)
		if err != nil {
			return err
		}
		url = fmt.Sprintf("http://127.0.0.1:%d", port)
	}
	environment, err := c.Environment(ctx, secret, url)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // the command is what this is for
	cmd.Env = append(os.Environ(), environment...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}
