package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDashboardsAreAsGenerated(t *testing.T) {
	const folder = "../../charts/frontrow/files/dashboards"
	for _, b := range boards {
		want, err := b.encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(folder, b.name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s.json is not what boards.go says: go generate ./observability/dashboards", b.name)
		}
	}
}
