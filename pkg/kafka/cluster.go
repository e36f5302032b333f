package kafka

import (
	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// Cluster is the configuration for connecting to the brokers. Services read it
// from their environment.
type Cluster struct {
	// Brokers is a comma-separated list (host:port). They need not be up yet.
	Brokers string `env:"KAFKA_BROKERS,required,notEmpty"`
	// TLS enables encryption; CA or Certificate imply it.
	TLS bool `env:"KAFKA_TLS"`
	// CA holds the certificates (PEM) that sign the brokers'. If empty, the
	// system's authorities are used.
	CA string `env:"KAFKA_CA"`
	// Certificate and Key (PEM) identify the client where brokers authenticate
	// clients by certificate.
	Certificate string `env:"KAFKA_CERTIFICATE"`
	Key         string `env:"KAFKA_KEY"`
	// Username and Password authenticate by SCRAM-SHA-512. Without a password
	// there is no authentication.
	Username string `env:"KAFKA_USERNAME"`
	Password string `env:"KAFKA_PASSWORD"`
}

// config adds to settings what every client of the cluster needs.
func (c Cluster) config(settings kafka.ConfigMap) *kafka.ConfigMap {
	settings["bootstrap.servers"] = c.Brokers
	settings["go.logs.channel.enable"] = true
	protocol := "PLAINTEXT"
	if c.TLS || c.CA != "" || c.Certificate != "" {
		protocol = "SSL"
	}
	for key, value := range map[string]string{
		"ssl.ca.pem": c.CA, "ssl.certificate.pem": c.Certificate, "ssl.key.pem": c.Key,
	} {
		if value != "" {
			settings[key] = value
		}
	}
	if c.Password != "" {
		protocol = map[string]string{"PLAINTEXT": "SASL_PLAINTEXT", "SSL": "SASL_SSL"}[protocol]
		settings["sasl.mechanisms"] = "SCRAM-SHA-512"
		settings["sasl.username"] = c.Username
		settings["sasl.password"] = c.Password
	}
	settings["security.protocol"] = protocol
	return &settings
}

// Topics sets the partitions and replicas of topics created here.
type Topics struct {
	// Partitions per topic. With 0, topics are created elsewhere.
	Partitions  int `env:"KAFKA_TOPIC_PARTITIONS" envDefault:"6"`
	Replication int `env:"KAFKA_TOPIC_REPLICATION" envDefault:"1"`
}
