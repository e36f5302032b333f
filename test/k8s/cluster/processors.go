package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

const (
	readProcessorsEvery = 5 * time.Second
	// shownPods is the number of pods shown, those with the highest use.
	shownPods = 12
)

// Processors sums the CPU time of each pod of the namespace.
type Processors struct {
	began time.Time
	stop  context.CancelFunc
	done  chan struct{}
	// last and used are in seconds, by pod: the kubelet's last value, and the
	// time used since the start.
	last, used map[string]float64
}

// WatchProcessors starts to sum CPU time.
func (c *Cluster) WatchProcessors(ctx context.Context) *Processors {
	ctx, stop := context.WithCancel(ctx)
	p := &Processors{began: time.Now(), stop: stop, done: make(chan struct{}), used: map[string]float64{}}
	go func() {
		defer close(p.done)
		for {
			if now, err := c.processors(ctx); err == nil {
				p.add(now)
			}
			if !clock.Sleep(ctx, readProcessorsEvery) {
				return
			}
		}
	}()
	return p
}

// Stop returns the pods with the highest use, with the number of cores each
// kept busy.
func (p *Processors) Stop() string {
	p.stop()
	<-p.done
	seconds := time.Since(p.began).Seconds()
	pods := slices.SortedFunc(maps.Keys(p.used), func(a, b string) int { return cmp.Compare(p.used[b], p.used[a]) })
	total := 0.0
	for _, used := range p.used {
		total += used
	}
	lines := []string{fmt.Sprintf("all %.2f", total/seconds)}
	for _, pod := range pods[:min(len(pods), shownPods)] {
		lines = append(lines, fmt.Sprintf("%s %.2f", pod, p.used[pod]/seconds))
	}
	return strings.Join(lines, ", ")
}

func (p *Processors) add(now map[string]float64) {
	for pod, seconds := range now {
		before, known := p.last[pod]
		if p.last != nil && !known {
			before = 0 // the pod started in the meantime
		}
		if p.last != nil && seconds > before {
			p.used[pod] += seconds - before
		}
	}
	p.last = now
}

// processors returns the CPU time of each pod so far, in seconds.
func (c *Cluster) processors(ctx context.Context) (map[string]float64, error) {
	nodes, err := Run(ctx, "", "kubectl", "get", "nodes", "-o", "jsonpath={.items[*].metadata.name}")
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for node := range strings.FieldsSeq(nodes) {
		text, err := Run(ctx, "", "kubectl", "get", "--raw", "/api/v1/nodes/"+node+"/proxy/stats/summary?only_cpu_and_memory=true")
		if err != nil {
			return nil, err
		}
		var summary struct {
			Pods []struct {
				PodRef struct{ Name, Namespace string }
				CPU    struct{ UsageCoreNanoSeconds float64 }
			}
		}
		if err := json.Unmarshal([]byte(text), &summary); err != nil {
			return nil, err
		}
		for _, pod := range summary.Pods {
			if pod.PodRef.Namespace == c.Namespace {
				out[pod.PodRef.Name] += pod.CPU.UsageCoreNanoSeconds / 1e9
			}
		}
	}
	return out, nil
}
