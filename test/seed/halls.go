package main

import (
	"math"
	"strconv"

	"github.com/frontrow-tickets/frontrow/test/client"
)

// fan is a block of rows on arcs around a centre: row 0 is at radius, each next
// one a pitch further out, between two angles (radians; 0 is straight away from
// the stage).
type fan struct {
	x, y, radius, from, to float64
	rows                   int
	// pitch is the distance between rows; seats are 1 apart.
	pitch float64
}

func (f fan) section(id, name, category string, label func(int) string, accessibleRow int) client.NewSection {
	s := client.NewSection{ID: id, Name: name}
	for r := range f.rows {
		radius := f.radius + float64(r)*f.pitch
		count := int(radius*(f.to-f.from)) + 1
		row := client.NewRow{Label: label(r), Category: category}
		for i := range count {
			angle := (f.from+f.to)/2 + (float64(i)-float64(count-1)/2)/radius
			row.Seats = append(row.Seats, client.NewSeat{
				Number: strconv.Itoa(i + 1), X: round(f.x + radius*math.Sin(angle)), Y: round(f.y + radius*math.Cos(angle)),
				Accessible: r == accessibleRow && (i < 2 || i >= count-2),
			})
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

func round(v float64) float64 { return math.Round(v*100) / 100 }

func letter(n int) string { return string(rune('A' + n)) }

// theatre has stalls in three parts and a balcony.
func theatre() client.NewVenue {
	v := client.NewVenue{
		Name: "Theatre on the Quay", City: "Vienna", TimeZone: "Europe/Vienna", Areas: []client.NewArea{},
		Categories: []client.Category{{ID: "premium", Name: "Premium"}, {ID: "stalls", Name: "Stalls"}, {ID: "balcony", Name: "Balcony"}},
	}
	parts := []struct {
		id, name string
		from, to float64
	}{{"left", "left", -0.62, -0.24}, {"centre", "centre", -0.2, 0.2}, {"right", "right", 0.24, 0.62}}
	for _, p := range parts {
		front := fan{radius: 22, from: p.from, to: p.to, rows: 6, pitch: 1.2}.section("front-"+p.id, "Front stalls "+p.name, "premium", letter, -1)
		back := fan{radius: 30.5, from: p.from, to: p.to, rows: 12, pitch: 1.2}.section("stalls-"+p.id, "Stalls "+p.name, "stalls",
			func(n int) string { return letter(n + 6) }, 11)
		v.Sections = append(v.Sections, front, back)
	}
	for _, p := range parts {
		v.Sections = append(v.Sections, fan{radius: 49, from: p.from, to: p.to, rows: 7, pitch: 1.2}.section("balcony-"+p.id, "Balcony "+p.name, "balcony", letter, 0))
	}
	return v
}

// club has tables of four and a standing floor.
func club() client.NewVenue {
	v := client.NewVenue{
		Name: "Cellar Nine", City: "Graz", TimeZone: "Europe/Vienna",
		Categories: []client.Category{{ID: "table", Name: "At a table"}, {ID: "standing", Name: "Standing"}},
		Areas:      []client.NewArea{{ID: "floor", Name: "Floor", Category: "standing", Capacity: 180, X: 10, Y: 16}},
	}
	for side, name := range []string{"Left", "Right"} {
		s := client.NewSection{ID: "tables-" + strconv.Itoa(side+1), Name: name + " tables"}
		for table := range 6 {
			row := client.NewRow{Label: "Table " + strconv.Itoa(6*side+table+1), Category: "table"}
			x, y := float64(14*side+4*(table%2)), float64(4*(table/2))
			for i := range 4 {
				row.Seats = append(row.Seats, client.NewSeat{
					Number: strconv.Itoa(i + 1), X: x + 1.3*float64(i%2), Y: y + 1.3*float64(i/2), Accessible: table == 4,
				})
			}
			s.Rows = append(s.Rows, row)
		}
		v.Sections = append(v.Sections, s)
	}
	return v
}

// arena has some 50,000 seats in three tiers around the field.
func arena() client.NewVenue {
	v := client.NewVenue{
		Name: "Danube Arena", City: "Vienna", TimeZone: "Europe/Vienna", Areas: []client.NewArea{},
		Categories: []client.Category{{ID: "lower", Name: "Lower tier"}, {ID: "middle", Name: "Middle tier"}, {ID: "upper", Name: "Upper tier"}},
	}
	tiers := []struct {
		id, name     string
		radius       float64
		rows, blocks int
	}{{"lower", "Lower", 55, 24, 28}, {"middle", "Middle", 90, 26, 36}, {"upper", "Upper", 128, 36, 44}}
	for _, tier := range tiers {
		slice := 2 * math.Pi / float64(tier.blocks)
		for b := range tier.blocks {
			middle := -math.Pi + (float64(b)+0.5)*slice
			gap := 1.6 / tier.radius
			v.Sections = append(v.Sections, fan{
				radius: tier.radius, from: middle - slice/2 + gap, to: middle + slice/2 - gap, rows: tier.rows, pitch: 1.15,
			}.section(tier.id+"-"+strconv.Itoa(b+1), tier.name+" "+strconv.Itoa(b+1), tier.id, func(n int) string { return strconv.Itoa(n + 1) }, 0))
		}
	}
	return v
}
