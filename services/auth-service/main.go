// Auth-service manages accounts and roles, and logs users in and out.
package main

import (
	"context"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
	accounts "github.com/frontrow-tickets/frontrow/services/auth-service/internal/postgres"
	"github.com/frontrow-tickets/frontrow/services/auth-service/migrations"
)

const name = "auth-service"

type config struct {
	service.Config
	IdentityKeys    string        `env:"IDENTITY_KEYS,required"`
	PostgresURL     string        `env:"POSTGRES_URL,required"`
	RedisURL        string        `env:"REDIS_URL,required"`
	SessionIdle     time.Duration `env:"SESSION_IDLE" envDefault:"2h"`
	SessionAbsolute time.Duration `env:"SESSION_ABSOLUTE" envDefault:"24h"`
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
	if err := postgres.Migrate(ctx, cfg.PostgresURL, migrations.Files, postgres.Idempotency); err != nil {
		return err
	}
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
