// Auth-service manages accounts and roles, and logs users in and out.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
	accounts "github.com/frontrow-tickets/frontrow/services/auth-service/internal/postgres"
	"github.com/frontrow-tickets/frontrow/services/auth-service/migrations"
)

const name = "auth-service"

type config struct {
	service.Config
	IdentityKeys string `env:"IDENTITY_KEYS,required"`
	// NotificationKeys authenticate notification-service, which asks for the
	// recipients of mails.
	NotificationKeys string `env:"IDENTITY_KEYS_NOTIFICATION,required"`
	// Key is the base64 of 32 random bytes, from which other keys are derived.
	Key             string `env:"AUTH_KEY,required"`
	PostgresURL     string `env:"POSTGRES_URL,required"`
	Kafka           kafka.Cluster
	Topics          kafka.Topics
	RedisURL        string        `env:"REDIS_URL,required"`
	SessionIdle     time.Duration `env:"SESSION_IDLE" envDefault:"2h"`
	SessionAbsolute time.Duration `env:"SESSION_ABSOLUTE" envDefault:"24h"`
	RequireVerified bool          `env:"AUTH_REQUIRE_VERIFIED" envDefault:"true"`
	// Registrations per hour, and mails that one network requests per hour. 0
	// means no limit.
	PerNetwork    int `env:"AUTH_REGISTRATIONS_PER_NETWORK" envDefault:"20"`
	Registrations int `env:"AUTH_REGISTRATIONS_TOTAL" envDefault:"2000"`
	// AdminSecondFactor is optional or required.
	AdminSecondFactor secondFactor `env:"AUTH_ADMIN_SECOND_FACTOR" envDefault:"optional"`

	// consumerGroup separates tests that share a broker. If empty, the
	// service's name is used.
	consumerGroup string
}

// secondFactor says whether admins need a second factor.
type secondFactor string

const (
	optional secondFactor = "optional"
	required secondFactor = "required"
)

// UnmarshalText refuses other values.
func (f *secondFactor) UnmarshalText(text []byte) error {
	*f = secondFactor(text)
	if *f != optional && *f != required {
		return fmt.Errorf("%q is neither optional nor required", text)
	}
	return nil
}

type migrateConfig struct {
	PostgresURL   string `env:"POSTGRES_URL,required"`
	AdminEmail    string `env:"ADMIN_EMAIL"`
	AdminPassword string `env:"ADMIN_PASSWORD"`
}

func main() {
	service.Main(name, service.Configured(run), map[string]service.Command{"migrate": service.Configured(migrate)})
}

// migrate brings the database to this version and creates the first admin.
func migrate(ctx context.Context, cfg migrateConfig) error {
	if err := postgres.Migrate(ctx, cfg.PostgresURL, migrations.Files, postgres.Outbox); err != nil {
		return err
	}
	return ensureAdmin(ctx, cfg)
}

func ensureAdmin(ctx context.Context, cfg migrateConfig) error {
	if cfg.AdminEmail == "" {
		return nil
	}
	pool, err := postgres.Connect(ctx, cfg.PostgresURL)
	if err != nil {
		return err
	}
	defer pool.Close()
	svc := &auth.Service{Accounts: accounts.Accounts{Pool: pool}, Hasher: auth.NewHasher(), Now: time.Now}
	return svc.EnsureAdmin(ctx, cfg.AdminEmail, cfg.AdminPassword)
}
