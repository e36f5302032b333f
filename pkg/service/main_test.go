package service

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestCommandLineSelectsTheCommand(t *testing.T) {
	t.Setenv("GOGC", "100") // leave the collector alone
	t.Setenv("NAME", "value")
	type config struct {
		Name string `env:"NAME,required"`
	}
	type incomplete struct {
		Missing string `env:"MISSING_VARIABLE,required"`
	}
	var ran []string
	serve := Configured(func(_ context.Context, cfg config) error {
		ran = append(ran, "serve", cfg.Name)
		return nil
	})
	subcommands := map[string]Command{
		"log":  func(_ context.Context, args []string) error { ran = args; return nil },
		"fail": func(context.Context, []string) error { return errors.New("failed") },
		"unset": Configured(func(context.Context, incomplete) error {
			t.Error("ran without its configuration")
			return nil
		}),
	}
	for _, c := range []struct {
		args, ran []string
		exitCode  int
	}{
		{nil, []string{"serve", "value"}, 0},
		{[]string{"log", "a", "b"}, []string{"a", "b"}, 0},
		{[]string{"fail"}, nil, 1},
		{[]string{"unset"}, nil, 1},
		{[]string{"unknown"}, nil, 2},
	} {
		ran = nil
		if code := execute("program", serve, subcommands, c.args); code != c.exitCode || !slices.Equal(ran, c.ran) {
			t.Errorf("%q: exit code %d, ran %q", c.args, code, ran)
		}
	}
}
