package mail

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/boombuler/barcode/qr"
	"github.com/go-fonts/dejavu/dejavusans"
	"github.com/go-fonts/dejavu/dejavusansbold"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// Measures of an A4 page in millimetres.
const (
	pageWidth  = 210.0
	pageHeight = 297.0
	margin     = 20.0
	textWidth  = pageWidth - 2*margin
	qrSize     = 80.0
)

type colour struct{ r, g, b int }

var (
	accent = colour{67, 56, 202}
	dark   = colour{23, 23, 43}
	muted  = colour{85, 85, 111}
	rule   = colour{213, 213, 227}
)

// TicketsPDF returns the tickets of a confirmed booking, an A4 page for each
// seat. The same booking gives the same bytes. It returns an error if a ticket
// has no code, or if the time zone is unknown.
func TicketsPDF(b events.BookingRecord, language string) ([]byte, error) {
	d, err := newDocument(b, forLanguage(language))
	if err != nil {
		return nil, fmt.Errorf("tickets pdf: %w", err)
	}
	for i, ticket := range b.Tickets {
		if err := d.addPage(i, ticket); err != nil {
			return nil, fmt.Errorf("tickets pdf: seat %s: %w", ticket.ID, err)
		}
	}
	var out bytes.Buffer
	if err := d.pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("tickets pdf: %w", err)
	}
	return out.Bytes(), nil
}

// document is a PDF of one booking. Its y is where the next line of a page goes.
type document struct {
	t            *templates
	b            events.BookingRecord
	pdf          *fpdf.Fpdf
	starts, ends time.Time
	y            float64
}

func newDocument(b events.BookingRecord, t *templates) (*document, error) {
	if len(b.Tickets) == 0 {
		return nil, fmt.Errorf("booking %s has no tickets", b.BookingID)
	}
	d := &document{t: t, b: b, pdf: fpdf.New("P", "mm", "A4", "")}
	var err error
	if d.starts, err = inZone(b.StartsAt, b.TimeZone); err != nil {
		return nil, err
	}
	if d.ends, err = inZone(b.EndsAt, b.TimeZone); err != nil {
		return nil, err
	}
	// A clock, or the order of a map, would make the bytes differ.
	d.pdf.SetCreationDate(time.Unix(0, 0).UTC())
	d.pdf.SetModificationDate(time.Unix(0, 0).UTC())
	d.pdf.SetCatalogSort(true)
	d.pdf.SetAutoPageBreak(false, 0)
	d.pdf.SetMargins(margin, margin, margin)
	d.pdf.SetCellMargin(0)
	d.pdf.SetTitle(t.phraseOf("ticket.title", b), true)
	d.pdf.SetAuthor("Frontrow", true)
	d.pdf.SetLang(t.language)
	d.pdf.AddUTF8FontFromBytes("sans", "", dejavusans.TTF)
	d.pdf.AddUTF8FontFromBytes("sans", "B", dejavusansbold.TTF)
	return d, d.pdf.Error()
}

func (d *document) addPage(i int, ticket events.TicketRecord) error {
	if ticket.Code == "" {
		return errors.New("code is missing")
	}
	d.pdf.AddPage()
	d.addHeader()
	d.addEvent()
	d.addSeat(ticket)
	if err := d.addCode(ticket.Code); err != nil {
		return err
	}
	d.addTerms()
	d.text("", 9, muted)
	d.cell(pageHeight-margin, 5, "Frontrow · "+d.b.OrderNumber, "L")
	count := map[string]int{"Page": i + 1, "Pages": len(d.b.Tickets)}
	d.cell(pageHeight-margin, 5, d.t.phraseOf("ticket.page", count), "R")
	return d.pdf.Error()
}

// addHeader draws a band with the shop's name and the order number.
func (d *document) addHeader() {
	const height = 24
	d.pdf.SetFillColor(accent.r, accent.g, accent.b)
	d.pdf.Rect(0, 0, pageWidth, height, "F")
	white := colour{255, 255, 255}
	d.text("B", 20, white)
	d.cell(7, 10, "Frontrow", "L")
	d.text("", 8, white)
	d.cell(5.5, 5, d.t.phrase("label.order"), "R")
	d.text("B", 14, white)
	d.cell(10.5, 8, d.b.OrderNumber, "R")
	d.y = height + 12
}

// addEvent writes the event's name, time and place.
func (d *document) addEvent() {
	d.lines(printable(d.b.EventName), "B", 22, dark, 3)
	d.y += 3
	d.lines(d.t.date(d.starts), "B", 13, dark, 1)
	end := d.t.clock(d.ends)
	if d.starts.Format(time.DateOnly) != d.ends.Format(time.DateOnly) {
		end = d.t.date(d.ends) + ", " + end
	}
	d.lines(d.t.phraseOf("ticket.time", map[string]string{
		"Start": d.t.clock(d.starts), "End": end, "Zone": zoneName(d.b.TimeZone),
	}), "", 11, dark, 2)
	d.y += 2
	d.lines(printable(d.b.VenueName), "", 13, dark, 2)
	d.y += 5
}

// addSeat writes where the seat is, and what it costs.
func (d *document) addSeat(ticket events.TicketRecord) {
	price := d.t.money(events.Money{Amount: ticket.Price, Currency: d.b.Total.Currency})
	number := "ticket.seat"
	if ticket.Row == "" {
		number = "ticket.unit"
	}
	d.row([]column{
		{"ticket.section", printable(ticket.Section), 90},
		{"ticket.row", printable(ticket.Row), 40},
		{number, printable(ticket.Number), 40},
	}, 18)
	d.row([]column{{"ticket.type", printable(ticket.TicketType), 110}, {"ticket.price", price, 60}}, 12)
	d.rule()
}

// column is a labelled value of a row; its width is in millimetres.
type column struct {
	label, value string
	width        float64
}

// row writes columns beside each other, below a rule. An empty value leaves a
// gap.
func (d *document) row(columns []column, size float64) {
	d.rule()
	x, top, bottom := margin, d.y, d.y
	for _, c := range columns {
		if c.value != "" {
			d.text("", 9, muted)
			d.pdf.SetXY(x, top)
			d.pdf.CellFormat(c.width, 5, d.t.phrase(c.label), "", 0, "L", false, 0, "")
			d.y = top + 5
			d.linesAt(x, c.value, "B", size, dark, c.width-4, 2)
			bottom = max(bottom, d.y)
		}
		x += c.width
	}
	d.y = bottom + 3
}

func (d *document) rule() {
	d.pdf.SetDrawColor(rule.r, rule.g, rule.b)
	d.pdf.SetLineWidth(0.3)
	d.pdf.Line(margin, d.y, pageWidth-margin, d.y)
	d.y += 3
}

// quietZone is the white border that scanners need, in modules (ISO/IEC 18004).
const quietZone = 4

// addCode draws the QR code in the middle of the page, as one path that is sharp
// at any size. Level M survives the damage of 15 % of a printed code.
func (d *document) addCode(code string) error {
	symbol, err := qr.Encode(code, qr.M, qr.Auto)
	if err != nil {
		return fmt.Errorf("encode qr: %w", err)
	}
	modules := symbol.Bounds().Dx()
	module := qrSize / float64(modules+2*quietZone)
	left, top := (pageWidth-qrSize)/2+quietZone*module, d.y+quietZone*module
	// The unit is a module, and y grows downwards.
	const points = 72 / 25.4
	d.pdf.RawWriteStr(fmt.Sprintf("q 0 g %[1]f 0 0 -%[1]f %f %f cm", module*points, left*points, (pageHeight-top)*points))
	for y := range modules {
		for x := 0; x < modules; x++ {
			start := x
			for x < modules && symbol.At(x, y) == color.Black {
				x++
			}
			if x > start {
				d.pdf.RawWriteStr(fmt.Sprintf("%d %d %d 1 re", start, y, x-start))
			}
		}
	}
	d.pdf.RawWriteStr("f Q")
	d.y += qrSize + 1
	d.text("", 10, muted)
	d.cell(d.y, 5, d.t.phrase("ticket.scan"), "C")
	d.y += 11
	return nil
}

func (d *document) addTerms() {
	for _, term := range d.t.paragraphs("ticket.terms") {
		d.lines(term, "", 9, muted, 3)
		d.y++
	}
}

// text sets the font, in points, and its colour.
func (d *document) text(style string, size float64, c colour) {
	d.pdf.SetFont("sans", style, size)
	d.pdf.SetTextColor(c.r, c.g, c.b)
}

// cell writes one line between the margins, aligned left (L), right (R) or in the
// middle (C).
func (d *document) cell(y, height float64, text, align string) {
	d.pdf.SetXY(margin, y)
	d.pdf.CellFormat(textWidth, height, text, "", 0, align, false, 0, "")
}

// lines writes text between the margins.
func (d *document) lines(text, style string, size float64, c colour, most int) {
	d.linesAt(margin, text, style, size, c, textWidth, most)
}

// linesAt writes text at d.y and moves d.y below it. It chooses a smaller font
// if the text would need more than the given number of lines.
func (d *document) linesAt(x float64, text, style string, size float64, c colour, width float64, most int) {
	d.text(style, size, c)
	lines := d.pdf.SplitText(text, width)
	for len(lines) > most && size > 6 {
		size--
		d.text(style, size, c)
		lines = d.pdf.SplitText(text, width)
	}
	height := size * 0.45 // of a line: 1.28 em in millimetres
	for _, l := range lines {
		d.pdf.SetXY(x, d.y)
		d.pdf.CellFormat(width, height, l, "", 0, "L", false, 0, "")
		d.y += height
	}
}

// printable returns text that others wrote as a single line of characters that
// fpdf can encode: it panics beyond the basic multilingual plane, where the emoji are.
func printable(text string) string {
	return line(strings.Map(func(r rune) rune {
		if r > 0xffff {
			return -1
		}
		return r
	}, text))
}
