package kafka

import (
	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// Cluster is where the brokers are and how they are spoken to. Services read it
// from their environment.
type Cluster struct {
	// Brokers, comma-separated (host:port). They need not be there yet.
	Brokers string `env:"KAFKA_BROKERS,required,notEmpty"`
	// TLS encrypts; CA or Certificate imply it.
	TLS bool `env:"KAFKA_TLS"`
	// CA has the certificates (PEM) that a broker's is signed by; empty: the
	// system's authorities.
	CA string `env:"KAFKA_CA"`
	// Certificate and Key (PEM) are the client's own, where brokers tell clients by
	// them.
	Certificate string `env:"KAFKA_CERTIFICATE"`
	Key         string `env:"KAFKA_KEY"`
	// Username and Password log in by SCRAM-SHA-512; without a password nobody
	// logs in.
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

// Topics is how many partitions and replicas a topic gets that is made here.
type Topics struct {
	// Partitions; 0: topics are made by somebody else.
	Partitions  int `env:"KAFKA_TOPIC_PARTITIONS" envDefault:"6"`
	Replication int `env:"KAFKA_TOPIC_REPLICATION" envDefault:"1"`
}
