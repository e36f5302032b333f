package service

import (
	"net"
	"time"
)

// Config is the environment configuration common to all services.
type Config struct {
	// HTTPAddr is the public listener, host:port.
	HTTPAddr string `env:"HTTP_ADDR,required"`
	// AdminAddr is the listener for metrics and health, host:port.
	AdminAddr string `env:"ADMIN_ADDR,required"`
	// PPROF adds profiles to the admin listener.
	PPROF bool `env:"PPROF"`
	// InstanceID distinguishes replicas. Default: the service and its port.
	InstanceID string `env:"INSTANCE_ID"`
	// AdvertiseAddr is the address at which others reach HTTPAddr. Default:
	// HTTPAddr.
	AdvertiseAddr string `env:"ADVERTISE_ADDR"`
	// ConsulAddr is the node's agent. If empty, the service does not register.
	ConsulAddr string `env:"CONSUL_ADDR"`
	// DiscoveryDNS maps each service to discover to its host:port, for
	// deployments without Consul.
	DiscoveryDNS map[string]string `env:"DISCOVERY_DNS" envKeyValSeparator:"="`
	// LogLevel is debug, info, warn or error.
	LogLevel string `env:"LOG_LEVEL" envDefault:"info"`
	// DrainDelay is how long a stopping instance keeps serving while not ready,
	// so that load balancers notice.
	DrainDelay time.Duration `env:"DRAIN_DELAY" envDefault:"0s"`

	// Listening, if set, is called with the addresses of both listeners once
	// they are open. Tests need it: they listen on port 0.
	Listening func(public, admin net.Addr) `env:"-"`
}

// setDefaults sets empty fields from the service's name.
func (c *Config) setDefaults(name string) {
	if c.AdvertiseAddr == "" {
		c.AdvertiseAddr = c.HTTPAddr
	}
	if c.InstanceID == "" {
		_, port, _ := net.SplitHostPort(c.AdvertiseAddr)
		c.InstanceID = name + "-" + port
	}
}
