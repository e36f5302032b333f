package ticket_test

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/ticket"
)

func TestQRHasItsQuietZone(t *testing.T) {
	for _, length := range []int{1, 60, 240, 400} {
		content, err := ticket.QR(strings.Repeat("x", length))
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		if picture.Bounds() != image.Rect(0, 0, 320, 320) {
			t.Fatalf("%v", picture.Bounds())
		}
		// The finder's first row is seven modules long.
		border := 0
		for ; !dark(picture, border, border); border++ {
		}
		run := 0
		for dark(picture, border+run, border) {
			run++
		}
		if module := run / 7; border < 4*module {
			t.Errorf("%d characters: the border has %d pixels, four modules have %d", length, border, 4*module)
		}
	}
}

func dark(picture image.Image, x, y int) bool {
	r, _, _, _ := picture.At(x, y).RGBA()
	return r < 0x8000
}
