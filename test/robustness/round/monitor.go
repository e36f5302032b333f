package round

import (
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

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/robustness/check"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
	"github.com/frontrow-tickets/frontrow/test/system"
)

const (
	pollInterval = 250 * time.Millisecond
	// pollTimeout is the timeout after which a process counts as down.
	pollTimeout = 2 * time.Second
)

// monitor observes from outside what is up, to know what cannot be expected: no
// hold ends while no booking replica runs or Cassandra has no quorum.
type monitor struct {
	recorder  *history.Recorder
	cassandra *gocql.Session
	http      *http.Client
	// admin maps kinds of outage to the admin addresses of the processes whose
	// failure causes them.
	admin map[string][]string
	group sync.WaitGroup

	mu   sync.Mutex
	list []check.Outage
	// maxOversold is the highest value of oversold_seats_total.
	maxOversold float64
	cases       cases
}

func newMonitor(_ context.Context, s *system.System, recorder *history.Recorder) (*monitor, error) {
	cluster := gocql.NewCluster(strings.Split(s.Cassandra, ",")...)
	cluster.Keyspace, cluster.Timeout, cluster.ConnectTimeout = s.Keyspace, pollTimeout, pollTimeout
	cluster.ReconnectInterval = time.Second
	// Nodes being down is expected in a round.
	cluster.Logger = log.New(io.Discard, "", 0)
	session, err := cluster.CreateSession()
	if err != nil {
		return nil, fmt.Errorf("watch: cassandra: %w", err)
	}
	return &monitor{
		recorder: recorder, cassandra: session, http: &http.Client{Timeout: pollTimeout},
		admin: map[string][]string{
			check.NoGateway: adminAddresses("API_GATEWAY"), check.NoBooking: adminAddresses("BOOKING_SERVICE"),
			check.NoSource: adminAddresses("EVENT_SERVICE"),
		},
	}, nil
}

// gateways returns the base URLs of all gateways' APIs.
func gateways(s *system.System) ([]string, error) {
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
		return nil, fmt.Errorf("the running Frontrow at %s has no gateway", s.URL)
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

func (m *monitor) start(ctx context.Context) {
	poll := func(kind, process string, up func(context.Context) bool) {
		m.group.Go(func() {
			o := outage{list: m, kind: kind, process: process, up: m.recorder.Now()}
			for ctx.Err() == nil {
				from := m.recorder.Now()
				if ok := up(ctx); ctx.Err() == nil {
					o.observe(ok, from, m.recorder.Now())
				}
				clock.Sleep(ctx, pollInterval)
			}
		})
	}
	poll(check.NoQuorum, "", func(ctx context.Context) bool {
		ctx, cancel := context.WithTimeout(ctx, pollTimeout)
		defer cancel()
		var at int64
		// Through Paxos, like an append, for an event that does not exist.
		err := m.cassandra.Query(`SELECT head FROM event_log WHERE event = 0 LIMIT 1`).
			Consistency(gocql.Consistency(gocql.Serial)).WithContext(ctx).Scan(&at)
		return err == nil || err == gocql.ErrNotFound //nolint:errorlint // gocql returns it bare
	})
	for _, gateway := range m.admin[check.NoGateway] {
		poll(check.NoGateway, gateway, func(ctx context.Context) bool { return m.anyAnswers(ctx, []string{gateway}) })
	}
	for _, kind := range []string{check.NoBooking, check.NoSource} {
		poll(kind, "", func(ctx context.Context) bool { return m.anyAnswers(ctx, m.admin[kind]) })
	}
	m.group.Go(func() {
		for ctx.Err() == nil {
			for _, address := range m.admin[check.NoBooking] {
				m.readMetrics(ctx, address)
			}
			clock.Sleep(ctx, time.Second)
		}
	})
}

func (m *monitor) anyAnswers(ctx context.Context, addresses []string) bool {
	answers := make(chan bool, len(addresses))
	for _, address := range addresses {
		go func() {
			resp, err := m.get(ctx, "http://"+address+"/readyz")
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

func (m *monitor) get(ctx context.Context, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return m.http.Do(req)
}

// outage is the state of one gateway, or of a whole kind of process.
type outage struct {
	list          *monitor
	kind, process string
	// up is when it was last known to be up. at is the index of its current
	// outage in the list plus one, or 0 while it is up.
	up int64
	at int
}

// observe records an observation that lasted from one time to another.
func (o *outage) observe(up bool, from, to int64) {
	m := o.list
	m.mu.Lock()
	defer m.mu.Unlock()
	if !up && o.at == 0 {
		m.list = append(m.list, check.Outage{Of: o.kind, Process: o.process, Start: o.up})
		o.at = len(m.list)
	}
	if o.at > 0 {
		m.list[o.at-1].End = to
	}
	if up {
		o.up, o.at = from, 0
	}
}

// readMetrics reads the counters of a booking-service replica.
func (m *monitor) readMetrics(ctx context.Context, address string) {
	resp, err := m.get(ctx, "http://"+address+"/metrics")
	if err != nil {
		return // it is down or busy; the next observation follows
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return
	}
	seen := map[string]float64{}
	for line := range strings.Lines(string(page)) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			continue
		}
		if what, found := strings.CutPrefix(name, `sometimes_total{case="`); found {
			seen[strings.TrimSuffix(what, `"}`)] = value
		}
		if name == "oversold_seats_total" {
			m.mu.Lock()
			m.maxOversold = max(m.maxOversold, value)
			m.mu.Unlock()
		}
	}
	m.cases.add(address, seen)
}

// stop waits for the last observation; the context given to start must have
// ended.
func (m *monitor) stop() {
	m.group.Wait()
	m.cassandra.Close()
}

func (m *monitor) outages() []check.Outage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.list)
}

func (m *monitor) oversold() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.maxOversold
}
