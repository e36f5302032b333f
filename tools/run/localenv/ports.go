package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// instances can run side by side on a machine.
var instances = []string{"up", "test", "bench", "cluster"}

// ports of one instance. Each is the standard port plus an offset. All are below 32768, where the kernel's
// ephemeral ports begin:
//
//	              standard  up      test    bench   cluster
//	services      8080…     8080    28080   12080   20080  gateway; auth 81, event 82, notification 83, booking 84 to 86, payment 87 and
//	                                                       88, payment provider 89, another gateway 90 (test: without hashing; cluster)
//	their admin   9080…     9080    29080   13080   21080  public port + 1000
//	postgres      5432      15432   25432   9432    22432
//	redis         6379      16379   26379   10379   23379  cluster: replica 80, Sentinels 81 to 83
//	kafka         9092      19092   29092   13092   26092  controller 9093; cluster: ten more for each node
//	cassandra     9042      19042   29042   13042   26042  storage 7000, JMX 7199; cluster: an address for each node
//	consul        8500      18500   28500   12500   25500  server 8300, serf 8301
//	mailpit       8025      18025   28025   12025   25025  its page; SMTP 2525
//	links                                           30000  cluster: toxiproxy's API, the proxies, the views of Sentinels
type ports struct{ services, backends int }

func portsOf(instance string) ports {
	return map[string]ports{
		"up":      {services: 0, backends: 10000},
		"test":    {services: 20000, backends: 20000},
		"bench":   {services: 4000, backends: 4000},
		"cluster": {services: 12000, backends: 17000},
	}[instance]
}

func (p ports) service(standard int) int { return standard + p.services }
func (p ports) admin(standard int) int   { return standard + 1000 + p.services }
func (p ports) backend(standard int) int { return standard + p.backends }

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// checkPortsFree reports a port that is needed but in use.
func checkPortsFree(ctx context.Context, processes []process) error {
	for _, p := range processes {
		for _, port := range p.ports {
			var config net.ListenConfig
			listener, err := config.Listen(ctx, "tcp", p.at(port))
			if err == nil {
				_ = listener.Close()
				continue
			}
			holder := ""
			if name, pid := portHolder("/proc", port); pid != 0 {
				holder = fmt.Sprintf(" by %s (process %d)", name, pid)
			}
			return fmt.Errorf("port %d, needed by %s, is in use%s: stop that, then try again", port, p.name, holder)
		}
	}
	return nil
}

// portHolder finds the process that listens on a TCP port, as far as this user's permissions allow; pid is 0
// if it is not visible.
func portHolder(proc string, port int) (name string, pid int) {
	inodes := map[string]bool{}
	for _, table := range []string{"net/tcp", "net/tcp6"} {
		collectListeners(filepath.Join(proc, table), port, inodes)
	}
	links, _ := filepath.Glob(filepath.Join(proc, "[0-9]*", "fd", "*"))
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !inodes[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] {
			continue
		}
		dir := filepath.Dir(filepath.Dir(link))
		comm, _ := os.ReadFile(filepath.Join(dir, "comm"))
		pid, _ := strconv.Atoi(filepath.Base(dir))
		return strings.TrimSpace(string(comm)), pid
	}
	return "", 0
}

// collectListeners adds the inodes of the sockets that listen on port, from a table like /proc/net/tcp.
func collectListeners(table string, port int, inodes map[string]bool) {
	const stateListen = "0A"
	file, err := os.Open(table)
	if err != nil {
		return
	}
	defer func() { _ = file.Close() }()
	suffix := fmt.Sprintf(":%04X", port)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 9 && fields[3] == stateListen && strings.HasSuffix(fields[1], suffix) {
			inodes[fields[9]] = true
		}
	}
}
