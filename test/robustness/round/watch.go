package round

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gocql/gocql"

	"github.com/frontrow-tickets/frontrow/test/robustness/check"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
	"github.com/frontrow-tickets/frontrow/test/stack"
)

const (
	lookEvery = 250 * time.Millisecond
	// lookTimeout is after how long something that does not answer counts as down.
	lookTimeout = 2 * time.Second
)

// watch looks from outside at what is up, to tell what cannot be expected: no
// hold ends while no booking replica runs or Cassandra has no quorum.
type watch struct {
	recorder  *history.Recorder
	cassandra *gocql.Session
	http      *http.Client
	// admin addresses by the kind of outage that it is when none answers.
	admin map[string][]string
	group sync.WaitGroup

	mu    sync.Mutex
	downs []check.Outage
	most  float64
}

func newWatch(_ context.Context, s *stack.Stack, recorder *history.Recorder) (*watch, error) {
	cluster := gocql.NewCluster(strings.Split(s.Cassandra, ",")...)
	cluster.Keyspace, cluster.Timeout, cluster.ConnectTimeout = s.Keyspace, lookTimeout, lookTimeout
	cluster.ReconnectInterval = time.Second
	// That nodes are down is what the round is about.
	cluster.Logger = log.New(io.Discard, "", 0)
	session, err := cluster.CreateSession()
	if err != nil {
		return nil, fmt.Errorf("watch: cassandra: %w", err)
	}
	return &watch{
		recorder: recorder, cassandra: session, http: &http.Client{Timeout: lookTimeout},
		admin: map[string][]string{
			check.NoGateway: adminAddresses("API_GATEWAY"), check.NoBooking: adminAddresses("BOOKING_SERVICE"),
			check.NoSource: adminAddresses("EVENT_SERVICE"),
		},
	}, nil
}

// gateways are all there are, as base URLs of the API.
func gateways(s *stack.Stack) ([]string, error) {
	if all := os.Getenv("FRONTROW_URLS"); all != "" {
		return strings.Split(all, ","), nil
	}
	path := s.URL[strings.Index(s.URL, "//")+2:]
	path = path[strings.IndexByte(path, '/'):]
	var urls []string
	for _, line := range os.Environ() {
		name, address, _ := strings.Cut(line, "=")
		if strings.HasPrefix(name, "FRONTROW_API_GATEWAY") && !strings.HasSuffix(name, "_ADMIN") {
			urls = append(urls, "http://"+address+path)
		}
	}
	slices.Sort(urls)
	if len(urls) == 0 {
		return nil, fmt.Errorf("the running Frontrow at %s names no gateway", s.URL)
	}
	return urls, nil
}

func adminAddresses(service string) []string {
	var addresses []string
	for _, line := range os.Environ() {
		name, address, _ := strings.Cut(line, "=")
		if strings.HasPrefix(name, "FRONTROW_"+service) && strings.HasSuffix(name, "_ADMIN") {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

func (w *watch) start(ctx context.Context) {
	look := func(kind string, up func(context.Context) bool) {
		w.group.Go(func() {
			for ctx.Err() == nil {
				from := w.recorder.Now()
				if !up(ctx) && ctx.Err() == nil {
					w.down(kind, from)
				}
				_ = pause(ctx, lookEvery) // the loop ends with ctx
			}
		})
	}
	look(check.NoQuorum, func(ctx context.Context) bool {
		ctx, cancel := context.WithTimeout(ctx, lookTimeout)
		defer cancel()
		var at int64
		// Reads as holds do, through Paxos, whatever is in it.
		err := w.cassandra.Query(`SELECT version FROM seats WHERE event_id = ? AND block_id = 1 LIMIT 1`, gocql.UUID{}).
			Consistency(gocql.Consistency(gocql.Serial)).WithContext(ctx).Scan(&at)
		return err == nil || err == gocql.ErrNotFound //nolint:errorlint // gocql returns it bare
	})
	for kind, addresses := range w.admin {
		look(kind, func(ctx context.Context) bool { return w.anyAnswers(ctx, addresses) })
	}
	w.group.Go(func() {
		for ctx.Err() == nil {
			for _, address := range w.admin[check.NoBooking] {
				w.readOversold(ctx, address)
			}
			_ = pause(ctx, time.Second) // the loop ends with ctx
		}
	})
}

func (w *watch) anyAnswers(ctx context.Context, addresses []string) bool {
	answers := make(chan bool, len(addresses))
	for _, address := range addresses {
		go func() {
			resp, err := w.get(ctx, "http://"+address+"/readyz")
			if err == nil {
				resp.Body.Close()
			}
			answers <- err == nil && resp.StatusCode == http.StatusOK
		}()
	}
	for range addresses {
		if <-answers {
			return true
		}
	}
	return false
}

func (w *watch) get(ctx context.Context, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return w.http.Do(req)
}

// down extends the outage that is under way, or begins one.
func (w *watch) down(kind string, from int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.recorder.Now()
	for i := range w.downs {
		if o := &w.downs[i]; o.Of == kind && from-o.End < 2*lookTimeout.Nanoseconds() {
			o.End = now
			return
		}
	}
	w.downs = append(w.downs, check.Outage{Of: kind, Start: from, End: now})
}

func (w *watch) readOversold(ctx context.Context, address string) {
	resp, err := w.get(ctx, "http://"+address+"/metrics")
	if err != nil {
		return // it is down, or busy: another look comes
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if value, found := strings.CutPrefix(lines.Text(), "oversold_seats_total "); found {
			if n, err := strconv.ParseFloat(value, 64); err == nil {
				w.mu.Lock()
				w.most = max(w.most, n)
				w.mu.Unlock()
			}
		}
	}
}

// stop waits for the last look; the context given to start must have ended.
func (w *watch) stop() {
	w.group.Wait()
	w.cassandra.Close()
}

func (w *watch) outages() []check.Outage {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.downs)
}

func (w *watch) oversold() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.most
}
