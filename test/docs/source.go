// Package docs compares the documentation with the code.
package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// root is the root of the repository.
const root = "../.."

// variable is an environment variable that the code reads.
type variable struct {
	name, fallback string
	required       bool
}

// source is what the documentation lists of one folder's code.
type source struct {
	variables []variable
	// metrics are names of Prometheus metrics.
	metrics []string
}

// read returns the environment variables and metrics in the Go files below a
// folder of the repository, tests excepted.
func read(folder string) (source, error) {
	var s source
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		s.add(file)
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("read %s: %w", folder, err)
	}
	return s, nil
}

func (s *source) add(file *ast.File) {
	prefixes := prefixesOf(file)
	prefix := map[*ast.StructType]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.TypeSpec:
			if structure, ok := n.Type.(*ast.StructType); ok {
				prefix[structure] = prefixes[n.Name.Name]
			}
		case *ast.StructType:
			for _, field := range n.Fields.List {
				if v, ok := variableOf(field, prefix[n]); ok {
					s.variables = append(s.variables, v)
				}
			}
		case *ast.CallExpr:
			if called, ok := n.Fun.(*ast.SelectorExpr); ok && called.Sel.Name == "Getenv" && len(n.Args) == 1 {
				if name, ok := literal(n.Args[0]); ok {
					s.variables = append(s.variables, variable{name: name})
				}
			}
		case *ast.CompositeLit:
			if name, ok := metricOf(n); ok {
				s.metrics = append(s.metrics, name)
			}
		}
		return true
	})
}

// prefixesOf returns the prefix of the variables of each struct type that the
// file embeds with envPrefix.
func prefixesOf(file *ast.File) map[string]string {
	prefixes := map[string]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		if field, ok := node.(*ast.Field); ok {
			if name, ok := field.Type.(*ast.Ident); ok {
				prefixes[name.Name] += tag(field).Get("envPrefix")
			}
		}
		return true
	})
	return prefixes
}

func variableOf(field *ast.Field, prefix string) (variable, bool) {
	name, options, _ := strings.Cut(tag(field).Get("env"), ",")
	if name == "" || name == "-" {
		return variable{}, false
	}
	return variable{name: prefix + name, fallback: tag(field).Get("envDefault"), required: strings.HasPrefix(options, "required")}, true
}

func tag(field *ast.Field) reflect.StructTag {
	if field.Tag == nil {
		return ""
	}
	return reflect.StructTag(strings.Trim(field.Tag.Value, "`"))
}

// metricOf returns the Name of a literal such as prometheus.GaugeOpts{Name: …}.
func metricOf(options *ast.CompositeLit) (string, bool) {
	kind, ok := options.Type.(*ast.SelectorExpr)
	if !ok || !strings.HasSuffix(kind.Sel.Name, "Opts") {
		return "", false
	}
	for _, element := range options.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := pair.Key.(*ast.Ident); ok && key.Name == "Name" {
			return literal(pair.Value)
		}
	}
	return "", false
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}
