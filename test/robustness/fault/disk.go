package fault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// fillerBlock is the size of a write; the last writes are smaller.
const fillerBlock = 1 << 20

// disk is the mount point of Postgres's data, or "" if it has no separate disk.
func disk() string { return os.Getenv("FRONTROW_POSTGRES_DISK") }

func filler() string { return filepath.Join(disk(), "filler") }

func (i *Injector) diskKinds() []kind {
	return []kind{{name: "disk-full", faults: func() ([]Fault, string) {
		if disk() == "" {
			return nil, "Postgres has no disk of its own, which only root can mount (FRONTROW_POSTGRES_DISK is not set)"
		}
		return eachOf("postgres"), ""
	}, start: i.fillDisk}}
}

// fillDisk fills the disk of Postgres, which has the outboxes of payments and
// events, completely.
func (i *Injector) fillDisk(ctx context.Context, f Fault) (undo, error) {
	free, err := i.locks.lock(ctx, f.Target)
	if err != nil {
		return nil, err
	}
	heal := func(ctx context.Context) error {
		defer free()
		if err := removeFiller(); err != nil {
			return err
		}
		return poll(ctx, "Postgres answers", func(ctx context.Context) (bool, error) {
			connection, err := pgx.Connect(ctx, i.system.Postgres)
			if err != nil {
				return false, err
			}
			return true, connection.Close(ctx)
		})
	}
	return heal, fill(filler())
}

// fill writes until no space is left. Postgres may free and reuse some space
// meanwhile, as on any full disk.
func fill(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	for size := fillerBlock; size > 0; {
		_, err := file.Write(make([]byte, size))
		switch {
		case errors.Is(err, syscall.ENOSPC):
			size /= 16
		case err != nil:
			return fmt.Errorf("fill disk: %w", err)
		}
	}
	return nil
}

func removeFiller() error {
	if disk() == "" {
		return nil
	}
	if err := os.Remove(filler()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
