package mail

import (
	"embed"
	"fmt"
	html "html/template"
	"io/fs"
	"path"
	"strings"
	text "text/template"

	"github.com/frontrow-tickets/frontrow/api/events"
)

//go:embed templates
var files embed.FS

// templates has the texts of one language. Texts are plain: layout.txt and
// layout.html put them into the two versions of a mail.
type templates struct {
	language string
	// kinds has the texts of a mail; phrases has those that all mails and the
	// tickets share.
	kinds   map[Kind]*text.Template
	phrases *text.Template
}

var (
	languages  = map[string]*templates{"en": mustLoad("en"), "de": mustLoad("de")}
	htmlLayout = html.Must(html.ParseFS(files, "templates/layout.html"))
	textLayout = text.Must(text.ParseFS(files, "templates/layout.txt"))
)

func forLanguage(language string) *templates {
	if t := languages[language]; t != nil {
		return t
	}
	return languages["en"]
}

// mustLoad panics if the embedded files of a language do not parse.
func mustLoad(language string) *templates {
	folder := path.Join("templates", language)
	t := &templates{language: language, kinds: map[Kind]*text.Template{}}
	t.phrases = text.Must(text.ParseFS(files, path.Join(folder, "phrases.tmpl")))
	names, err := fs.Glob(files, path.Join(folder, "*.tmpl"))
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		if kind := strings.TrimSuffix(path.Base(name), ".tmpl"); kind != "phrases" {
			t.kinds[Kind(kind)] = text.Must(text.Must(t.phrases.Clone()).ParseFS(files, name))
		}
	}
	return t
}

// page is what the layouts show.
type page struct {
	letter
	Subject, Preview, Heading, Greeting, Button, LinkHint, Footer string
	// Body stands above the facts and the button, Note below.
	Body, Note []string
}

// message renders a letter in both versions.
func (t *templates) message(l letter) (Message, error) {
	kind := t.kinds[l.Kind]
	if kind == nil {
		return Message{}, fmt.Errorf("no template in %s", t.language)
	}
	p := page{letter: l}
	for name, to := range map[string]*string{
		"subject": &p.Subject, "preview": &p.Preview, "heading": &p.Heading, "greeting": &p.Greeting,
		"button": &p.Button, "link_hint": &p.LinkHint, "footer": &p.Footer,
	} {
		paragraphs, err := execute(kind, name, l)
		if err != nil {
			return Message{}, err
		}
		*to = strings.Join(paragraphs, " ")
	}
	var err error
	if p.Body, err = execute(kind, "body", l); err != nil {
		return Message{}, err
	}
	if p.Note, err = execute(kind, "note", l); err != nil {
		return Message{}, err
	}
	var plain, rich strings.Builder
	if err := textLayout.Execute(&plain, p); err != nil {
		return Message{}, err
	}
	if err := htmlLayout.Execute(&rich, p); err != nil {
		return Message{}, err
	}
	return Message{Subject: p.Subject, Text: plain.String(), HTML: rich.String()}, nil
}

// execute returns the paragraphs of a text, which blank lines separate, each as
// a single line.
func execute(t *text.Template, name string, data any) ([]string, error) {
	var out strings.Builder
	if err := t.ExecuteTemplate(&out, name, data); err != nil {
		return nil, err
	}
	var paragraphs []string
	for p := range strings.SplitSeq(out.String(), "\n\n") {
		if p = joinLines(p); p != "" {
			paragraphs = append(paragraphs, p)
		}
	}
	return paragraphs, nil
}

// joinLines keeps no-break spaces, which belong to prices.
func joinLines(p string) string {
	return strings.Join(strings.FieldsFunc(p, func(r rune) bool { return r == ' ' || r == '\n' }), " ")
}

// phrase returns a text that needs no data. It panics if there is none: the
// names are constants.
func (t *templates) phrase(name string) string { return t.phraseOf(name, nil) }

func (t *templates) phraseOf(name string, data any) string {
	paragraphs, err := execute(t.phrases, name, data)
	if err != nil {
		panic(err)
	}
	return strings.Join(paragraphs, " ")
}

// seat names a seat: Stalls, row A, seat 12. A standing area has no rows.
func (t *templates) seat(s events.ConfirmedSeat) string {
	s.Section, s.Row, s.Number = line(s.Section), line(s.Row), line(s.Number)
	return t.phraseOf("place", s)
}

func (t *templates) paragraphs(name string) []string {
	paragraphs, err := execute(t.phrases, name, nil)
	if err != nil {
		panic(err)
	}
	return paragraphs
}
