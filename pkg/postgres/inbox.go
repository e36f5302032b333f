package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Seen records, in the transaction of the message's effect, that consumer had
// the message with this CloudEvents id, and tells whether it had it already.
// It waits while another transaction is at the same message. It needs the
// table Inbox; rows are kept for 30 days (see Purge).
func Seen(ctx context.Context, tx pgx.Tx, consumer, eventID string) (already bool, err error) {
	tag, err := tx.Exec(ctx, `INSERT INTO inbox (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, consumer, eventID)
	if err != nil {
		return false, fmt.Errorf("inbox: %w", err)
	}
	return tag.RowsAffected() == 0, nil
}
