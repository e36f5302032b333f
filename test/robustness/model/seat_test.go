package model

import (
	"fmt"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

func TestSeat(t *testing.T) {
	op := func(a Action, booking string, start, end int64) Operation { return Operation{a, booking, start, end} }
	tests := []struct {
		name string
		ops  []Operation
		want porcupine.CheckResult
	}{
		{"a hold that is paid", []Operation{
			op(Hold, "a", 0, 10), op(SeeHeld, "a", 11, 12), op(Confirm, "a", 20, 40), op(SeeConfirmed, "a", 39, 40),
		}, porcupine.Ok},
		{"a seat that is held again after its hold expired", []Operation{
			op(Hold, "a", 0, 10), op(Expire, "a", 100, Forever), op(Hold, "b", 90, 120), op(Confirm, "b", 130, 140),
		}, porcupine.Ok},
		{"a seat that is held again after it was cancelled", []Operation{
			op(Hold, "a", 0, 10), op(Confirm, "a", 20, 30), op(Release, "a", 40, 50), op(Hold, "b", 45, 60), op(SeeEnded, "a", 55, 57),
		}, porcupine.Ok},
		{"a cancellation nobody was answered", []Operation{
			op(Hold, "a", 0, 10), op(Release, "a", 20, Forever), op(Hold, "b", 500, 510),
		}, porcupine.Ok},
		{"a hold nobody was answered, seen later", []Operation{
			op(Hold, "a", 0, Forever), op(SeeHeld, "a", 500, 510), op(Expire, "a", 600, 700), op(Hold, "b", 650, 660),
		}, porcupine.Ok},
		{"a late payment that confirms after the deadline, with the seat still there", []Operation{
			op(Hold, "a", 0, 10), op(Confirm, "a", 90, 130), op(SeeHeld, "a", 105, 106), op(SeeConfirmed, "a", 125, 130),
		}, porcupine.Ok},
		{"a seat held twice", []Operation{
			op(Hold, "a", 0, 10), op(Hold, "b", 5, 15),
		}, porcupine.Illegal},
		{"a seat sold twice", []Operation{
			op(Hold, "a", 0, 10), op(Confirm, "a", 20, 30), op(Hold, "b", 40, 50), op(Confirm, "b", 60, 70),
		}, porcupine.Illegal},
		{"taken over before the deadline", []Operation{
			op(Hold, "a", 0, 10), op(Expire, "a", 100, 200), op(Hold, "b", 50, 60),
		}, porcupine.Illegal},
		{"taken over before it was cancelled", []Operation{
			op(Hold, "a", 0, 10), op(Release, "a", 100, 200), op(Hold, "b", 50, 60),
		}, porcupine.Illegal},
		{"an expired and resold hold that is confirmed", []Operation{
			op(Hold, "a", 0, 10), op(Expire, "a", 100, 110), op(Hold, "b", 120, 130), op(Confirm, "a", 90, 140),
			op(SeeEnded, "a", 110, 111), op(SeeConfirmed, "a", 139, 140),
		}, porcupine.Illegal},
		{"read as confirmed after it was read as ended", []Operation{
			op(Hold, "a", 0, 10), op(Expire, "a", 100, 110), op(SeeEnded, "a", 109, 110), op(SeeConfirmed, "a", 120, 130),
		}, porcupine.Illegal},
		{"read as held after someone else was given the seat", []Operation{
			op(Hold, "a", 0, 10), op(Expire, "a", 100, 300), op(Hold, "b", 120, 130), op(SeeHeld, "a", 140, 150),
		}, porcupine.Illegal},
		{"a sold seat that expires", []Operation{
			op(Hold, "a", 0, 10), op(Confirm, "a", 20, 30), op(Expire, "a", 100, 110),
		}, porcupine.Illegal},
		{"a hold nobody was answered that takes a sold seat", []Operation{
			op(Hold, "a", 0, 10), op(Confirm, "a", 20, 30), op(Hold, "b", 5, Forever), op(SeeHeld, "b", 40, 50), op(SeeConfirmed, "a", 60, 70),
		}, porcupine.Illegal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := Check(tt.ops, 10*time.Second); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// A popular seat changes hands every few seconds, is read continuously, and
// most of its holds are seen to have ended only at the end. The checker must
// decide such a history in time, even if it is invalid.
func TestCheckDecidesLongHistoryInTime(t *testing.T) {
	var ops []Operation
	at := int64(0)
	for i := range 60 {
		b := fmt.Sprint("booking ", i)
		ops = append(ops, Operation{Hold, b, at, at + 30}, Operation{Expire, b, at + 90, 10_000})
		for n := range int64(10) {
			ops = append(ops, Operation{SeeHeld, b, at + 31 + 5*n, at + 39 + 5*n})
		}
		ops = append(ops, Operation{SeeEnded, b, at + 131, at + 140}, Operation{SeeEnded, b, 9_000, 10_000})
		at += 95
	}
	if got, _ := Check(ops, 10*time.Second); got != porcupine.Ok {
		t.Errorf("a legal history: got %s", got)
	}
	ops = append(ops, Operation{Hold, "thief", at / 2, at/2 + 1}, Operation{SeeHeld, "thief", at/2 + 1, at/2 + 60})
	if got, _ := Check(ops, 10*time.Second); got != porcupine.Illegal {
		t.Errorf("with a second owner: got %s", got)
	}
}
