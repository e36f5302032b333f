package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const root = "../../.."

func TestGeneratedFilesAreCurrent(t *testing.T) {
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range files {
		got, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s differs from %s: run go generate ./problem in pkg", path, cataloguePath)
		}
	}
}

func TestCatalogueIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range catalogue(t) {
		if !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(e.Code) {
			t.Errorf("code %q is not in snake case", e.Code)
		}
		if seen[e.Code] {
			t.Errorf("code %s occurs twice", e.Code)
		}
		seen[e.Code] = true
		if e.Status < 400 || e.StatusText() == "" || e.Title == "" || e.Description == "" {
			t.Errorf("%s: status, title or description is missing: %+v", e.Code, e)
		}
		if retryable := e.Status == http.StatusTooManyRequests || e.Status > http.StatusInternalServerError; e.Retryable != retryable {
			t.Errorf("%s: retryable is %t with status %d", e.Code, e.Retryable, e.Status)
		}
	}
}

// use is a place in the source that makes a problem.
type use struct {
	position, status, code string
}

func TestSourceUsesCatalogue(t *testing.T) {
	codes, statuses := map[string]string{}, map[string]string{}
	for _, e := range catalogue(t) {
		codes["problem."+e.Name()] = e.Code
		statuses[e.Code] = "http.Status" + strings.ReplaceAll(e.StatusText(), " ", "")
	}
	used := map[string]bool{}
	for _, u := range uses(t, "services", "pkg") {
		code, literal := codes[u.code], false
		if code == "" {
			code, literal = unquote(u.code), true
		}
		used[code] = true
		switch want := statuses[code]; {
		case want == "":
			t.Errorf("%s: %s is not a code of %s", u.position, u.code, cataloguePath)
		case u.status != want:
			t.Errorf("%s: %s has status %s, but %s in %s", u.position, code, u.status, want, cataloguePath)
		case literal:
			t.Errorf("%s: write the constant in place of %s", u.position, u.code)
		}
	}
	for code := range statuses {
		if !used[code] {
			t.Errorf("no source uses %s", code)
		}
	}
}

// uses returns all calls of problem.New and literals of problem.Error below
// folders, tests excluded.
func uses(t *testing.T, folders ...string) []use {
	t.Helper()
	var found []use
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if status, code, ok := problemOf(n, file.Name.Name == "problem"); ok {
					found = append(found, use{files.Position(n.Pos()).String(), text(status), qualified(text(code), file)})
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// problemOf returns the expressions of the status and the code if n makes a
// problem with a code of its own.
func problemOf(n ast.Node, inside bool) (status, code ast.Expr, ok bool) {
	switch n := n.(type) {
	case *ast.CallExpr:
		if name := text(n.Fun); name == "problem.New" || inside && name == "New" {
			return n.Args[0], n.Args[1], true
		}
	case *ast.CompositeLit:
		if name := text(n.Type); name != "problem.Error" && (!inside || name != "Error") {
			return nil, nil, false
		}
		for _, element := range n.Elts {
			member, _ := element.(*ast.KeyValueExpr)
			switch {
			case member == nil:
			case text(member.Key) == "Status":
				status = member.Value
			case text(member.Key) == "Code":
				code = member.Value
			}
		}
		return status, code, text(code) != "code" // not New's own
	}
	return nil, nil, false
}

// qualified returns a constant of package problem as other packages name it.
func qualified(name string, file *ast.File) string {
	if file.Name.Name == "problem" && strings.HasPrefix(name, "Code") {
		return "problem." + name
	}
	return name
}

// text returns an expression as in the source, as far as a problem's arguments
// need.
func text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return text(e.X) + "." + e.Sel.Name
	case *ast.BasicLit:
		return e.Value
	case nil:
		return ""
	}
	return fmt.Sprintf("%T", e)
}

func unquote(s string) string {
	if unquoted, err := strconv.Unquote(s); err == nil {
		return unquoted
	}
	return s
}

func catalogue(t *testing.T) []entry {
	t.Helper()
	entries, err := read(root)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}
