module github.com/frontrow-tickets/frontrow/services/booking-service

go 1.26.8

replace (
	github.com/frontrow-tickets/frontrow/api => ../../api
	github.com/frontrow-tickets/frontrow/pkg => ../../pkg
)

require (
	github.com/frontrow-tickets/frontrow/api v0.0.0
	github.com/frontrow-tickets/frontrow/pkg v0.0.0
	github.com/caarlos0/env/v11 v11.3.1
	github.com/confluentinc/confluent-kafka-go/v2 v2.15.0
	github.com/gocql/gocql v1.7.0
	github.com/google/uuid v1.6.0
	github.com/hashicorp/consul/api v1.34.5
	github.com/prometheus/client_golang v1.25.0
	github.com/redis/go-redis/v9 v9.23.0
)
