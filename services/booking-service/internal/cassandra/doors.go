package cassandra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gocql/gocql"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// Admit implements booking.Store.
func (s *Store) Admit(ctx context.Context, home booking.BlockID, in booking.CheckIn) (booking.CheckIn, error) {
	session, err := s.connect()
	if err != nil {
		return booking.CheckIn{}, err
	}
	stands := booking.CheckIn{Ticket: in.Ticket}
	var scan, scanner gocql.UUID
	applied, err := session.Query(`INSERT INTO check_ins (event_id, block_id, ticket_id, scan_id, at, scanner)
		VALUES (?, ?, ?, ?, ?, ?) IF NOT EXISTS`,
		gocql.UUID(home.Event), home.Block, gocql.UUID(in.Ticket), gocql.UUID(in.Scan), in.At, gocql.UUID(in.Scanner)).
		WithContext(ctx).MapScanCAS(map[string]any{"scan_id": &scan, "at": &stands.At, "scanner": &scanner})
	if err != nil {
		return booking.CheckIn{}, outcome(err)
	}
	if applied {
		return in, nil
	}
	stands.Scan, stands.Scanner = uuid.UUID(scan), uuid.UUID(scanner)
	return stands, nil
}

// CheckIns implements booking.Store.
func (s *Store) CheckIns(ctx context.Context, home booking.BlockID) (map[uuid.UUID]booking.CheckIn, error) {
	session, err := s.connect()
	if err != nil {
		return nil, err
	}
	iter := session.Query(`SELECT ticket_id, scan_id, at, scanner FROM check_ins WHERE event_id = ? AND block_id = ?`,
		gocql.UUID(home.Event), home.Block).WithContext(ctx).Iter()
	all := map[uuid.UUID]booking.CheckIn{}
	var ticket, scan, scanner gocql.UUID
	var at time.Time
	for iter.Scan(&ticket, &scan, &at, &scanner) {
		all[uuid.UUID(ticket)] = booking.CheckIn{Ticket: uuid.UUID(ticket), Scan: uuid.UUID(scan), At: at, Scanner: uuid.UUID(scanner)}
	}
	if err := iter.Close(); err != nil {
		return nil, fmt.Errorf("cassandra: check-ins: %w", err)
	}
	return all, nil
}

const scanColumns = `scan_id, code_hash, result, at, admitted_at, ticket_id, seat, holder, scanner`

// SaveScan implements booking.Store.
func (s *Store) SaveScan(ctx context.Context, scan booking.Scan) error {
	session, err := s.connect()
	if err != nil {
		return err
	}
	var admitted, ticket, seat any // null in what the result does not have
	if scan.AdmittedAt != nil {
		admitted = *scan.AdmittedAt
	}
	if scan.Ticket != uuid.Nil {
		ticket = gocql.UUID(scan.Ticket)
	}
	if scan.Seat != nil {
		text, err := json.Marshal(scan.Seat)
		if err != nil {
			return fmt.Errorf("encode seat: %w", err)
		}
		seat = string(text)
	}
	err = session.Query(`INSERT INTO scans (event_id, `+scanColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		gocql.UUID(scan.Event), gocql.UUID(scan.ID), scan.CodeHash, string(scan.Result), scan.At, admitted, ticket, seat, scan.Holder,
		gocql.UUID(scan.Scanner)).Idempotent(true).WithContext(ctx).Exec()
	if err != nil {
		return fmt.Errorf("cassandra: save scan: %w", err)
	}
	return nil
}

// FindScan implements booking.Store.
func (s *Store) FindScan(ctx context.Context, event, id uuid.UUID) (booking.Scan, bool, error) {
	found, err := s.scans(ctx, event, 1, `SELECT `+scanColumns+` FROM scans WHERE event_id = ? AND scan_id = ?`,
		gocql.UUID(event), gocql.UUID(id))
	if err != nil || len(found) == 0 {
		return booking.Scan{}, false, err
	}
	return found[0], true, nil
}

// Scans implements booking.Store. Cassandra sorts UUIDs by their version, and
// those of version 7 by their bytes.
func (s *Store) Scans(ctx context.Context, event, before uuid.UUID, limit int) ([]booking.Scan, error) {
	return s.scans(ctx, event, limit, `SELECT `+scanColumns+` FROM scans WHERE event_id = ? AND scan_id < ? LIMIT ?`,
		gocql.UUID(event), gocql.UUID(before), limit)
}

func (s *Store) scans(ctx context.Context, event uuid.UUID, limit int, query string, values ...any) ([]booking.Scan, error) {
	session, err := s.connect()
	if err != nil {
		return nil, err
	}
	iter := session.Query(query, values...).PageSize(limit).WithContext(ctx).Iter()
	var all []booking.Scan
	for {
		scan := booking.Scan{Event: event}
		var id, ticket, scanner gocql.UUID
		var result, seat string
		if !iter.Scan(&id, &scan.CodeHash, &result, &scan.At, &scan.AdmittedAt, &ticket, &seat, &scan.Holder, &scanner) {
			break
		}
		scan.ID, scan.Ticket, scan.Scanner, scan.Result = uuid.UUID(id), uuid.UUID(ticket), uuid.UUID(scanner), booking.ScanResult(result)
		if seat != "" {
			if err := json.Unmarshal([]byte(seat), &scan.Seat); err != nil {
				return nil, errors.Join(fmt.Errorf("decode seat: %w", err), iter.Close())
			}
		}
		all = append(all, scan)
	}
	if err := iter.Close(); err != nil {
		return nil, fmt.Errorf("cassandra: read scans: %w", err)
	}
	return all, nil
}
