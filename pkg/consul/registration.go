package consul

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

const (
	// registrationInterval is how often the agent is asked whether it still has
	// the registration.
	registrationInterval = 3 * time.Second
	checkInterval        = 2 * time.Second
	// checkTimeout is generous, and a check must fail twice: slow responses
	// from busy instances must not empty the set of instances under load. The
	// gateway's own retries and breakers avoid a dead instance at once.
	checkTimeout           = 3 * time.Second
	failuresBeforeCritical = 1
	deregisterAfter        = 10 * time.Minute
)

// Service describes an instance to others.
type Service struct {
	// Name is the service, such as booking-service; ID identifies the instance.
	Name, ID string
	// Address is the host:port at which others reach the instance.
	Address string
	// AdminAddress is the host:port of its admin listener. If the host is
	// missing or unspecified, the host of Address is used.
	AdminAddress string
}

// Registration keeps an instance registered at its node's agent, with an HTTP
// check of /readyz on the admin listener.
type Registration struct {
	client *api.Client
	entry  *api.AgentServiceRegistration
	log    *slog.Logger
}

// NewRegistration returns the registration of svc at the agent addr
// (host:port). With an empty addr it does nothing.
func NewRegistration(addr string, svc Service) (*Registration, error) {
	r := &Registration{log: slog.Default()}
	if addr == "" {
		return r, nil
	}
	host, portText, err := net.SplitHostPort(svc.Address)
	if err != nil {
		return nil, fmt.Errorf("consul: address %q: %w", svc.Address, err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("consul: port of %q: %w", svc.Address, err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	adminHost, adminPort, err := net.SplitHostPort(svc.AdminAddress)
	if err != nil {
		return nil, fmt.Errorf("consul: admin address %q: %w", svc.AdminAddress, err)
	}
	if ip := net.ParseIP(adminHost); adminHost == "" || (ip != nil && ip.IsUnspecified()) {
		adminHost = host
	}
	if r.client, err = newClient(addr); err != nil {
		return nil, err
	}
	r.entry = &api.AgentServiceRegistration{
		ID: svc.ID, Name: svc.Name, Address: host, Port: port,
		Check: &api.AgentServiceCheck{
			Name:                           "readyz",
			HTTP:                           "http://" + net.JoinHostPort(adminHost, adminPort) + "/readyz",
			Interval:                       checkInterval.String(),
			Timeout:                        checkTimeout.String(),
			FailuresBeforeCritical:         failuresBeforeCritical,
			DeregisterCriticalServiceAfter: deregisterAfter.String(),
		},
	}
	return r, nil
}

// Run registers the instance, and registers it again whenever the agent loses
// it, until ctx ends; then it deregisters it. Run retries an unavailable agent
// indefinitely. It returns nil, only after ctx has ended.
func (r *Registration) Run(ctx context.Context) error {
	if r.client == nil {
		<-ctx.Done()
		return nil
	}
	known, reachable := false, true
	for ctx.Err() == nil {
		err := r.ensure(ctx, known)
		switch {
		case err == nil:
			known = true
			if !reachable {
				r.log.InfoContext(ctx, "consul: registered again", "id", r.entry.ID)
			}
		case reachable && ctx.Err() == nil:
			r.log.WarnContext(ctx, "consul: register failed, retrying", "id", r.entry.ID, "error", err)
		}
		reachable = err == nil
		clock.Sleep(ctx, registrationInterval)
	}
	r.deregister(context.WithoutCancel(ctx))
	return nil
}

// ensure registers the instance unless the agent already has the same entry. An
// instance that was registered before re-registers as passing, so that an agent
// that lost its state does not hide it until the first check.
func (r *Registration) ensure(ctx context.Context, known bool) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	q := (&api.QueryOptions{}).WithContext(ctx)
	if known {
		have, _, err := r.client.Agent().Service(r.entry.ID, q)
		var status api.StatusError
		if err != nil && (!errors.As(err, &status) || status.Code != http.StatusNotFound) {
			return fmt.Errorf("get service %s: %w", r.entry.ID, err)
		}
		if err == nil && have.Address == r.entry.Address && have.Port == r.entry.Port {
			return nil
		}
		r.entry.Check.Status = api.HealthPassing
	}
	opts := api.ServiceRegisterOpts{ReplaceExistingChecks: true}.WithContext(ctx)
	if err := r.client.Agent().ServiceRegisterOpts(r.entry, opts); err != nil {
		return fmt.Errorf("register %s: %w", r.entry.ID, err)
	}
	r.log.InfoContext(ctx, "consul: registered", "id", r.entry.ID, "port", r.entry.Port)
	return nil
}

func (r *Registration) deregister(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	err := r.client.Agent().ServiceDeregisterOpts(r.entry.ID, (&api.QueryOptions{}).WithContext(ctx))
	if err != nil {
		r.log.WarnContext(ctx, "consul: deregister failed", "id", r.entry.ID, "error", err)
	}
}
