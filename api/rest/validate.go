package rest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/frontrow-tickets/frontrow/api"
)

// Invalid is the error for JSON that does not match its schema. It names the
// wrong fields, sorted, up to a hundred.
type Invalid struct{ Fields []FieldError }

// Error names the fields and what is wrong with each.
func (e *Invalid) Error() string {
	wrong := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		wrong[i] = f.Field + " " + f.Message
	}
	return strings.Join(wrong, "; ")
}

// maxFields limits an answer to a request in which very much is wrong.
const maxFields = 100

// Validate checks JSON against a schema of the contract, which has the name of
// its Go type. Errors: *Invalid; any other error if it is not one JSON object.
// Validate panics if there is no such schema.
func Validate(schema string, body []byte) error {
	c := load()
	s, ok := c.schemas[schema]
	if !ok {
		panic("rest: the contract has no schema " + schema)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	if _, ok := value.(map[string]any); !ok {
		return errors.New("the body is not an object")
	}
	var wrong *jsonschema.ValidationError
	if err := s.Validate(value); !errors.As(err, &wrong) {
		return err
	}
	fields := c.explain(wrong)
	slices.SortFunc(fields, func(a, b FieldError) int {
		return cmp.Or(strings.Compare(a.Field, b.Field), strings.Compare(a.Code, b.Code))
	})
	if len(fields) > 1 && fields[0].Field == "" {
		fields = fields[1:] // that no alternative matches follows from the rest
	}
	return &Invalid{fields[:min(len(fields), maxFields)]}
}

// Check checks a value of a generated type, for values that come from somewhere
// other than a request. Errors: those of Validate.
func Check(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return Validate(reflect.TypeOf(v).Name(), body)
}

// contract is openapi.yaml, ready to check with.
type contract struct {
	schemas map[string]*jsonschema.Schema
	// examples has an example of what a pattern matches, by pattern.
	examples map[string]string
}

// load compiles the contract once. It is part of the program: a fault in it is a
// bug.
var load = sync.OnceValue(func() *contract {
	c, err := compile()
	if err != nil {
		panic("rest: " + err.Error())
	}
	return c
})

func compile() (*contract, error) {
	const file = "openapi.yaml"
	var document map[string]any
	if err := yaml.Unmarshal(api.OpenAPI, &document); err != nil {
		return nil, fmt.Errorf("parse %s: %w", file, err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: text(parseTime)})
	compiler.RegisterFormat(&jsonschema.Format{Name: "email", Validate: text(parseEmail)})
	if err := compiler.AddResource(file, document); err != nil {
		return nil, fmt.Errorf("load %s: %w", file, err)
	}
	c := &contract{schemas: map[string]*jsonschema.Schema{}, examples: map[string]string{}}
	components, _ := document["components"].(map[string]any)
	named, _ := components["schemas"].(map[string]any)
	for name := range named {
		var err error
		if c.schemas[name], err = compiler.Compile(file + "#/components/schemas/" + name); err != nil {
			return nil, fmt.Errorf("compile schema %s: %w", name, err)
		}
	}
	c.findExamples(named)
	return c, nil
}

// findExamples collects the examples of all patterns below a node.
func (c *contract) findExamples(node any) {
	switch node := node.(type) {
	case map[string]any:
		pattern, _ := node["pattern"].(string)
		if examples, _ := node["examples"].([]any); pattern != "" && len(examples) > 0 {
			c.examples[pattern] = fmt.Sprint(examples[0])
		}
		for _, child := range node {
			c.findExamples(child)
		}
	case []any:
		for _, child := range node {
			c.findExamples(child)
		}
	}
}

// text makes a check of strings one of any value: a format says nothing about
// other types.
func text(check func(string) error) func(any) error {
	return func(value any) error {
		if s, ok := value.(string); ok {
			return check(s)
		}
		return nil
	}
}

// parseTime accepts what a time.Time can be decoded from.
func parseTime(s string) error {
	var t time.Time
	return t.UnmarshalText([]byte(s))
}

// parseEmail accepts a bare address. Space around it is removed before it is
// stored.
func parseEmail(s string) error {
	s = strings.TrimSpace(s)
	address, err := mail.ParseAddress(s) // also accepts "Name <a@b>"
	if err == nil && (address.Address != s || strings.ContainsAny(s, " \"\x00")) {
		err = errors.New("not a bare address")
	}
	return err
}
