package cpu

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestParseStatOfAnAwkwardName(t *testing.T) {
	line := "42 (a (b) c) S 7 42 42 0 -1 4194560 1 2 3 4 250 50 9 9 20 0 1 0 100 1000 10"
	parent, used, err := parseStat([]byte(line))
	if err != nil || parent != 7 || used != 3*time.Second {
		t.Errorf("parent %d, used %s, error %v; want 7, 3s and none", parent, used, err)
	}
	if _, _, err := parseStat([]byte("42 (short) S 7")); err == nil {
		t.Error("a line cut off is taken")
	}
}

func TestMachineCountsWhatIsNotIdle(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stat")
	// user nice system idle iowait irq softirq steal guest guest_nice
	if err := os.WriteFile(file, []byte("cpu  100 20 30 9999 8888 4 5 6 70 7\ncpu0 1 1 1 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := machine(file)
	if want := 1650 * time.Millisecond; err != nil || got != want {
		t.Errorf("busy %s, error %v; want %s", got, err, want)
	}
}

func TestReadCountsThisProcess(t *testing.T) {
	times, err := Read(map[string]int{"init": 1})
	if err != nil {
		t.Fatal(err)
	}
	if times[Generator] <= 0 || times[Machine] < times[Generator] {
		t.Errorf("times %v", times)
	}
}
