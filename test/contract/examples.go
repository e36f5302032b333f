package contract

import (
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// CheckExamples checks every example in the document against its schema, and
// returns their number.
func (c *Contract) CheckExamples() (checked int, err error) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("openapi.yaml", c.document); err != nil {
		return 0, fmt.Errorf("contract: %w", err)
	}
	var faults []error
	check := func(schemaAt string, example any) {
		checked++
		schema, err := compiler.Compile("openapi.yaml#" + schemaAt)
		if err == nil {
			err = schema.Validate(example)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("example at %s: %w", schemaAt, err))
		}
	}
	walk(c.document, "", func(at string, node map[string]any) {
		_, described := node["schema"]
		if example, ok := node["example"]; ok && described {
			check(at+"/schema", example)
		} else if ok && node["type"] == "object" {
			check(at, example)
		}
		examples, _ := node["examples"].(map[string]any)
		for _, named := range examples {
			if example, ok := named.(map[string]any); ok && described {
				check(at+"/schema", example["value"])
			}
		}
	})
	return checked, errors.Join(faults...)
}

// walk visits every object of a document with its JSON pointer.
func walk(node any, at string, visit func(at string, node map[string]any)) {
	switch v := node.(type) {
	case map[string]any:
		visit(at, v)
		for name, child := range v {
			if name == "example" || name == "examples" {
				continue
			}
			walk(child, at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), visit)
		}
	case []any:
		for i, child := range v {
			walk(child, fmt.Sprintf("%s/%d", at, i), visit)
		}
	}
}
