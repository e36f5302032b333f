package main

import (
	"encoding/json"
	"math"
	"net"
	"strconv"
	"syscall"
)

// process is one program that the supervisor runs. It is ready when it has printed readyLine, or when
// readyPort answers readyPath with 200; a oneShot is done when it has exited with status 0.
type process struct {
	name        string
	command     []string
	dir         string
	env         []string
	host        string // address of its ports; empty for 127.0.0.1
	ports       []int
	readyLine   string
	readyPort   int
	readyPath   string
	oneShot     bool
	stopSignal  syscall.Signal
	stopSeconds int
	// wave is the start order of a backend: those of the next wave wait until those of this one are ready.
	wave int
}

func (p process) at(port int) string {
	if p.host == "" {
		return local(port)
	}
	return net.JoinHostPort(p.host, strconv.Itoa(port))
}

// runVariable marks the processes of an instance, so that those left behind by a dead supervisor can be
// found.
const runVariable = "FRONTROW_RUN"

type object = map[string]any

// supervisorConfig is process-compose's configuration; JSON is YAML.
//
// Every process is "disabled", so that we start it, in order. process-compose's own depends_on would refuse
// to restart a service while a backend is down, which is exactly what the services are made to survive.
func supervisorConfig(processes []process, runDir string, logFile func(string) string) ([]byte, error) {
	all := object{}
	for _, p := range processes {
		all[p.name] = p.config(runDir, logFile(p.name))
	}
	return json.MarshalIndent(object{
		"version": "0.5", "is_strict": true, "disable_env_expansion": true, "log_length": 200, "processes": all,
	}, "", "  ")
}

func (p process) config(runDir, logFile string) object {
	config := object{
		"disabled":    true,
		"entrypoint":  p.command,
		"working_dir": p.dir,
		"environment": append([]string{runVariable + "=" + runDir}, p.env...),
		"shutdown":    object{"signal": int(max(p.stopSignal, 0)), "timeout_seconds": max(p.stopSeconds, 10)},
		// Immediate restarts are limited to one per second, process-compose's shortest backoff.
		"availability": object{"restart": "always", "backoff_seconds": 1},
		"log_location": logFile,
		"log_configuration": object{
			"disable_json": true, "no_color": true, "no_metadata": true, "flush_each_line": true, "fields_order": []string{"message"},
			"rotation": object{"max_size_mb": 50, "max_backups": 2},
		},
	}
	if p.oneShot {
		config["availability"] = object{"restart": "no"}
	}
	if p.readyLine != "" {
		config["ready_log_line"] = p.readyLine
	}
	if p.readyPort != 0 {
		config["readiness_probe"] = object{
			"http_get":       object{"host": "127.0.0.1", "port": strconv.Itoa(p.readyPort), "path": p.readyPath},
			"period_seconds": 1, "timeout_seconds": 2,
			// process-compose would stop a process that stays unready, but a process whose backend is down
			// must keep running.
			"failure_threshold": math.MaxInt32,
		}
	}
	return config
}
