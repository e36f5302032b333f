package observe

import (
	"net"
	"time"
)

// Config is what every service reads from its environment.
type Config struct {
	// HTTPAddr is the public listener, host:port.
	HTTPAddr string `env:"HTTP_ADDR,required"`
	// AdminAddr is the listener of metrics, health and profiles.
	AdminAddr string `env:"ADMIN_ADDR,required"`
	// InstanceID tells replicas apart; default: the service and its port.
	InstanceID string `env:"INSTANCE_ID"`
	// AdvertiseAddr is where others reach HTTPAddr; default: HTTPAddr.
	AdvertiseAddr string `env:"ADVERTISE_ADDR"`
	// ConsulAddr is the node's agent; empty: no registration.
	ConsulAddr string `env:"CONSUL_ADDR"`
	// DiscoveryDNS has, where there is no Consul, the host:port of each service
	// whose instances are asked for.
	DiscoveryDNS map[string]string `env:"DISCOVERY_DNS" envKeyValSeparator:"="`
	// LogLevel is debug, info, warn or error.
	LogLevel string `env:"LOG_LEVEL" envDefault:"info"`
	// DrainDelay is how long a stopping instance serves while not ready.
	DrainDelay time.Duration `env:"DRAIN_DELAY" envDefault:"0s"`
}

// WithDefaults fills what may be left out from the service's name.
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
