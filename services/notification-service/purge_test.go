package main

import (
	"slices"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestFinishedMailsArePurged(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	add := func(reason, state string, age time.Duration) {
		p.exec(t, `INSERT INTO mails (reason, kind, content, state, created_at, due_at, done_at)
			VALUES ($1, 'tickets', '{}', $2, now() - $3::interval, now() + interval '1 hour',
				CASE $2 WHEN 'due' THEN NULL ELSE now() - $3::interval END)`,
			reason, state, age)
	}
	const day = 24 * time.Hour
	add("old", "sent", 91*day)
	add("old and dead", "dead", 91*day)
	add("recent", "sent", 89*day)
	add("old and due", "due", 91*day)
	p.start(t)
	testkit.Eventually(t, "old mails are gone", func() bool { return p.count(t, `SELECT count(*) FROM mails`) == 2 })
	rows, err := p.pool.Query(t.Context(), `SELECT reason FROM mails ORDER BY reason`)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for rows.Next() {
		var reason string
		if err := rows.Scan(&reason); err != nil {
			t.Fatal(err)
		}
		left = append(left, reason)
	}
	if want := []string{"old and due", "recent"}; rows.Err() != nil || !slices.Equal(left, want) {
		t.Errorf("%v %v, want %v", left, rows.Err(), want)
	}
}
