package observe

import (
	"net"
	"time"
)

// Config is the environment configuration common to all services.
type Config struct {
	// HTTPAddr is the public listener, host:port.
	HTTPAddr string `env:"HTTP_ADDR,required"`
	// AdminAddr is the listener for metrics, health and profiles, host:port.
	AdminAddr string `env:"ADMIN_ADDR,required"`
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
	// DrainDelay is how long a stopping instance keeps serving while not ready.
	DrainDelay time.Duration `env:"DRAIN_DELAY" envDefault:"0s"`
}

// WithDefaults sets empty fields from the service's name.
func (c Config) WithDefaults(service string) Config {
	if c.AdvertiseAddr == "" {
		c.AdvertiseAddr = c.HTTPAddr
	}
	if c.InstanceID == "" {
		_, port, _ := net.SplitHostPort(c.AdvertiseAddr)
		c.InstanceID = service + "-" + port
	}
	return c
}
