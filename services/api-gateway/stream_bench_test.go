package main

import (
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// BenchmarkStream lets watchers follow one event, and changes it: ns/op is the
// time until the last watcher has a change; the other figures are per watcher,
// including clients.
func BenchmarkStream(b *testing.B) {
	const watchers = 2000
	w := newWorld(b)
	s := newEventLog()
	w.replica("booking-service", 0, s.ServeHTTP)
	w.configure = func(c *config) { c.RateLimitAddress = 100_000 } // this benchmark does not limit requests
	w.start()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var seen sync.WaitGroup
	for range watchers {
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET "+streamPath+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			b.Fatal(err)
		}
		seen.Add(1)
		go func() {
			in := make([]byte, 1024)
			for {
				n, err := conn.Read(in)
				if err != nil {
					return
				}
				for range strings.Count(string(in[:n]), "\nid: ") {
					seen.Done()
				}
			}
		}()
	}
	seen.Wait()
	runtime.GC()
	runtime.ReadMemStats(&after)
	memory := float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse) / watchers
	cpu := func() float64 {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return float64(u.Utime.Nano()+u.Stime.Nano()) / 1000
	}
	begin := cpu()
	for b.Loop() {
		seen.Add(watchers)
		s.append()
		seen.Wait()
	}
	b.ReportMetric((cpu()-begin)/float64(b.N)/watchers, "µs-CPU/watcher")
	b.ReportMetric(memory, "B/watcher")
}
