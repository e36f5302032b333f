package mail

import (
	"bytes"
	"image"
	"image/draw"
	"strings"
	"sync"
	"testing"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// sheet is a page of a PDF as a reader sees it.
type sheet struct {
	picture *image.RGBA
	text    string
}

// renderer is the one of Chromium. It takes seconds to start.
var renderer = sync.OnceValues(func() (pdfium.Pdfium, error) {
	pool, err := webassembly.Init(webassembly.Config{MinIdle: 1, MaxIdle: 1, MaxTotal: 1})
	if err != nil {
		return nil, err
	}
	return pool.GetInstance(0)
})

// pages renders a PDF at 200 dpi.
func pages(t *testing.T, pdf []byte) []sheet {
	t.Helper()
	renderer, err := renderer()
	if err != nil {
		t.Fatal(err)
	}
	document, err := renderer.OpenDocument(&requests.OpenDocument{File: &pdf})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, err := renderer.FPDF_CloseDocument(&requests.FPDF_CloseDocument{Document: document.Document}); err != nil {
			t.Error(err)
		}
	}()
	count, err := renderer.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: document.Document})
	if err != nil {
		t.Fatal(err)
	}
	var sheets []sheet
	for i := range count.PageCount {
		page := requests.Page{ByIndex: &requests.PageByIndex{Document: document.Document, Index: i}}
		rendered, err := renderer.RenderPageInDPI(&requests.RenderPageInDPI{Page: page, DPI: 200})
		if err != nil {
			t.Fatal(err)
		}
		picture := image.NewRGBA(rendered.Result.RenderedImage.Bounds())
		draw.Draw(picture, picture.Bounds(), rendered.Result.RenderedImage, image.Point{}, draw.Src)
		rendered.Cleanup()
		text, err := renderer.GetPageText(&requests.GetPageText{Page: page})
		if err != nil {
			t.Fatal(err)
		}
		sheets = append(sheets, sheet{picture, strings.Join(strings.Fields(text.Text), " ")})
	}
	return sheets
}

func ticketsPDF(t *testing.T, b events.BookingRecord, language string) []byte {
	t.Helper()
	pdf, err := TicketsPDF(b, language)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

func TestEverySeatHasPageWithItsCode(t *testing.T) {
	b := booking()
	for language, words := range map[string][][]string{
		"en": {
			{
				"Łukasz & Őri <live>", "Friday, December 4, 2026", "7:30 PM to 10:00 PM, local time (Europe/Berlin)",
				"Große Halle, Berlin", "K7QM-29XD", "Section Stalls", "Row C", "Seat 12", "Premium", "€45.00", "Page 1 of 2",
			},
			{"K7QM-29XD", "Section Arena No. 7", "Standing", "€29.50", "Page 2 of 2"},
		},
		"de": {
			{
				"Freitag, 4. Dezember 2026", "19:30 bis 22:00 Uhr, Ortszeit (Europe/Berlin)", "Block Stalls Reihe C Platz 12", "45,00 €",
				"Seite 1 von 2",
			},
			{"Block Arena Nr. 7", "29,50 €", "Seite 2 von 2"},
		},
	} {
		sheets := pages(t, ticketsPDF(t, b, language))
		if len(sheets) != len(b.Tickets) {
			t.Fatalf("%s: %d pages for %d seats", language, len(sheets), len(b.Tickets))
		}
		for i, s := range sheets {
			for _, word := range words[i] {
				if !strings.Contains(s.text, word) {
					t.Errorf("%s, page %d: no %q in %q", language, i+1, word, s.text)
				}
			}
			if got := scan(t, s.picture); got != b.Tickets[i].Code {
				t.Errorf("%s, page %d: the code reads %q, want %q", language, i+1, got, b.Tickets[i].Code)
			}
		}
	}
}

func scan(t *testing.T, picture image.Image) string {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		t.Fatalf("scan: %v", err)
	}
	return result.GetText()
}

func TestLongestTextFitsOnPage(t *testing.T) {
	b := booking()
	b.EventName, b.VenueName = strings.Repeat("Wagner ", 28)+"end", strings.Repeat("W", 200)
	b.EndsAt = b.StartsAt.AddDate(0, 0, 3)
	b.TimeZone = "America/Argentina/ComodRivadavia"
	b.Tickets = b.Tickets[:1]
	seat := &b.Tickets[0]
	seat.Section, seat.TicketType = strings.Repeat("Rang ", 19)+"links", strings.Repeat("Ermäßigt ", 11)
	seat.Row, seat.Number, seat.Code = strings.Repeat("W", 16), strings.Repeat("8", 16), strings.Repeat("x", 1024)
	for language := range languages {
		d, err := newDocument(b, languages[language])
		if err != nil {
			t.Fatal(err)
		}
		if err := d.addPage(0, *seat); err != nil {
			t.Fatal(err)
		}
		if d.y > pageHeight-margin {
			t.Errorf("%s: the text ends at %.0f mm, the footer starts at %.0f mm", language, d.y, pageHeight-margin)
		}
	}
	s := pages(t, ticketsPDF(t, b, "de"))[0]
	if !strings.Contains(s.text, "Wagner end") || !strings.Contains(s.text, "links") {
		t.Errorf("cut off: %q", s.text)
	}
	if got := scan(t, s.picture); got != seat.Code {
		t.Errorf("the code reads %q", got)
	}
}

func TestLettersOfEuropeArePrinted(t *testing.T) {
	// The font has no glyph of the last one, so it looks like any other missing
	// one.
	seen := map[string]rune{}
	for _, letter := range "őŁşΩЖ€\ue000" {
		b := booking()
		b.EventName, b.Tickets = string(letter), b.Tickets[:1]
		pixels := string(pages(t, ticketsPDF(t, b, "en"))[0].picture.Pix)
		if other, ok := seen[pixels]; ok {
			t.Errorf("%q looks like %q", letter, other)
		}
		seen[pixels] = letter
	}
}

func TestSameBookingGivesSamePDF(t *testing.T) {
	first := ticketsPDF(t, booking(), "en")
	for range 10 {
		if !bytes.Equal(first, ticketsPDF(t, booking(), "en")) {
			t.Fatal("the bytes differ")
		}
	}
	// Two files of the same second would not show a clock.
	for _, date := range []string{"/CreationDate (D:19700101000000", "/ModDate (D:19700101000000"} {
		if !bytes.Contains(first, []byte(date)) {
			t.Errorf("no %s", date)
		}
	}
}

func TestSymbolsOutsideTheFontAreLeftOut(t *testing.T) {
	b := booking()
	b.EventName = "Rock 🎸 Night"
	if s := pages(t, ticketsPDF(t, b, "en"))[0]; !strings.Contains(s.text, "Rock Night") {
		t.Errorf("%q", s.text)
	}
}
