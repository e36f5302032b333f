package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// supervisor is a client of a running process-compose.
type supervisor struct{ client *http.Client }

// state of a process, as process-compose reports it.
type state struct {
	Name     string `json:"name"`
	Status   string `json:"status"`
	Health   string `json:"is_ready"`
	Restarts int    `json:"restarts"`
	ExitCode int    `json:"exit_code"`
	Pid      int    `json:"pid"`
	Running  bool   `json:"is_running"`
}

func (s state) ready() bool { return s.Running && s.Health == "Ready" }

// ended reports whether the process is not running and will not run until it is started again.
func (s state) ended() bool {
	return slices.Contains([]string{"Completed", "Error", "Skipped", "Disabled"}, s.Status)
}

func (s *system) supervisor() supervisor {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", s.socket())
	}
	return supervisor{&http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: time.Minute}}
}

func (v supervisor) call(ctx context.Context, method, path string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://supervisor"+path, nil)
	if err != nil {
		return err
	}
	response, err := v.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("process-compose: %s %s: %s %s", method, path, response.Status, bytes.TrimSpace(body))
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(body, answer)
}

func (v supervisor) alive(ctx context.Context) bool {
	return v.call(ctx, http.MethodGet, "/live", nil) == nil
}

// states of all processes by name.
func (v supervisor) states(ctx context.Context) (map[string]state, error) {
	var answer struct {
		Data []state `json:"data"`
	}
	if err := v.call(ctx, http.MethodGet, "/processes", &answer); err != nil {
		return nil, err
	}
	states := map[string]state{}
	for _, st := range answer.Data {
		states[st.Name] = st
	}
	return states, nil
}

func (v supervisor) start(ctx context.Context, name string) error {
	return v.call(ctx, http.MethodPost, "/process/start/"+name, nil)
}

// stop returns when the process has exited. It is not an error if the process does not run.
func (v supervisor) stop(ctx context.Context, name string) error {
	for asked := false; ; {
		states, err := v.states(ctx)
		if err != nil || states[name].ended() {
			return err
		}
		if !asked && states[name].Status != "Terminating" {
			if err := v.call(ctx, http.MethodPatch, "/process/stop/"+name, nil); err != nil {
				return err
			}
			asked = true
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// startSupervisor starts process-compose, which outlives us, with no processes running yet.
func (s *system) startSupervisor(ctx context.Context, config []byte) error {
	configFile := s.supervisorConfigFile()
	if err := writeAtomically(configFile, config); err != nil {
		return err
	}
	output, err := os.OpenFile(s.logFile("supervisor"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = output.Close() }()
	program := filepath.Join(s.location(s.artifact("process-compose")), "process-compose")
	// Not CommandContext: it must continue when we exit.
	command := exec.Command(program, "up", "-t=false", "--keep-project", "--disable-dotenv", //nolint:gosec,noctx // see above
		"-f", configFile, "-u", s.socket(), "-L", s.logFile("process-compose"))
	command.Dir = s.root
	command.Stderr = output // its standard output repeats all processes' logs
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return err
	}
	exited := make(chan error, 1)
	go func() { exited <- command.Wait() }()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		select {
		case <-exited:
			return s.failure("supervisor", "process-compose did not start")
		default:
		}
		if s.supervisor().alive(ctx) {
			return nil
		}
		if err := pause(ctx); err != nil {
			return errors.Join(err, command.Process.Kill())
		}
	}
	return errors.Join(s.failure("supervisor", "process-compose did not answer"), command.Process.Kill())
}

func (s *system) supervisorConfigFile() string { return s.confFile("process-compose.json") }

// failure returns an error with a sentence and the end of a process's log.
func (s *system) failure(name, sentence string) error {
	text, _ := os.ReadFile(s.logFile(name))
	tail := lastLines(string(text), 20)
	if strings.TrimSpace(tail) == "" {
		return fmt.Errorf("%s (its log %s is empty)", sentence, s.relative(s.logFile(name)))
	}
	return fmt.Errorf("%s; the end of %s:\n%s", sentence, s.relative(s.logFile(name)), tail)
}

func (s *system) relative(path string) string {
	if short, err := filepath.Rel(s.root, path); err == nil {
		return short
	}
	return path
}
