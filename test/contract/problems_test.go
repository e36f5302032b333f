package contract

import (
	"encoding/json"
	"os"
	"testing"
)

func TestContractNamesOnlyCodesOfTheCatalogue(t *testing.T) {
	text, err := os.ReadFile("../../api/problems.json")
	if err != nil {
		t.Fatal(err)
	}
	var catalogue []struct{ Code string }
	if err := json.Unmarshal(text, &catalogue); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, entry := range catalogue {
		known[entry.Code] = true
	}
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	check := func(at string, codes []any) {
		for _, code := range codes {
			named++
			if !known[code.(string)] {
				t.Errorf("%s: %s is not in api/problems.json", at, code)
			}
		}
	}
	walk(c.document, "", func(at string, node map[string]any) {
		if at == "/components/schemas/Code" {
			check(at, node["enum"].([]any))
		}
		properties, _ := node["properties"].(map[string]any)
		code, _ := properties["code"].(map[string]any)
		if codes, ok := code["enum"].([]any); ok {
			check(at, codes)
		}
		if constant, ok := code["const"].(string); ok {
			check(at, []any{constant})
		}
	})
	if named < len(known) {
		t.Errorf("found only %d codes in openapi.yaml", named)
	}
}
