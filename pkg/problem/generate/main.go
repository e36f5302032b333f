// Command generate writes the Go constants and the documentation of the
// problems in api/problems.json: `go generate ./problem` in pkg.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/format"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// Paths from the root of the repository.
const (
	cataloguePath = "api/problems.json"
	constantsPath = "pkg/problem/codes.go"
	docsPath      = "docs/problems.md"
)

// entry is one problem of the catalogue.
type entry struct {
	Code   string `json:"code"`
	Status int    `json:"status"`
	Title  string `json:"title"`
	// Retryable means that the same request, unchanged, may succeed later.
	Retryable bool `json:"retryable"`
	// Description says when the problem occurs and what the client does then.
	Description string `json:"description"`
}

// Name is the Go name of the code's constant.
func (e entry) Name() string {
	name := "Code"
	for word := range strings.SplitSeq(e.Code, "_") {
		switch word {
		case "json", "id":
			name += strings.ToUpper(word)
		default:
			name += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return name
}

// StatusText is the name of the status.
func (e entry) StatusText() string { return http.StatusText(e.Status) }

var constants = template.Must(template.New("constants").Parse(`// Code generated from api/problems.json by pkg/problem/generate. DO NOT EDIT.

package problem

// Codes of problems. docs/problems.md describes them.
const (
{{- range .}}
	{{.Name}} = "{{.Code}}" // {{.Status}}
{{- end}}
)

// titles has the title of each code.
var titles = map[string]string{
{{- range .}}
	{{.Name}}: {{printf "%q" .Title}},
{{- end}}
}
`))

var docs = template.Must(template.New("docs").Parse(`# Problems

<!-- Generated from api/problems.json by pkg/problem/generate. Do not edit. -->

Every error is an ` + "`application/problem+json`" + ` (RFC 9457). Decide by its ` + "`code`" + `, which is stable; ` + "`detail`" + ` is for people and may
change. Retry: the same request may succeed later. Wait as long as ` + "`Retry-After`" + ` says, and send a POST again only with its
` + "`Idempotency-Key`" + `.

| code | status | title | retry | when, and what to do |
|---|---|---|---|---|
{{- range .}}
| ` + "`{{.Code}}`" + ` | {{.Status}} {{.StatusText}} | {{.Title}} | {{if .Retryable}}yes{{else}}no{{end}} | {{.Description}} |
{{- end}}
`))

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate ROOT")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	for path, text := range files {
		if err := os.WriteFile(filepath.Join(root, path), text, 0o644); err != nil { //nolint:gosec // for everybody to read
			return err
		}
	}
	return nil
}

// generate returns the text of each generated file, by its path from root.
func generate(root string) (map[string][]byte, error) {
	catalogue, err := read(root)
	if err != nil {
		return nil, err
	}
	var code, page bytes.Buffer
	if err := constants.Execute(&code, catalogue); err != nil {
		return nil, err
	}
	if err := docs.Execute(&page, catalogue); err != nil {
		return nil, err
	}
	formatted, err := format.Source(code.Bytes())
	if err != nil {
		return nil, err
	}
	return map[string][]byte{constantsPath: formatted, docsPath: page.Bytes()}, nil
}

func read(root string) ([]entry, error) {
	text, err := os.ReadFile(filepath.Join(root, cataloguePath))
	if err != nil {
		return nil, err
	}
	var catalogue []entry
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&catalogue); err != nil {
		return nil, fmt.Errorf("read %s: %w", cataloguePath, err)
	}
	return catalogue, nil
}
