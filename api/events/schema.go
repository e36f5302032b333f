package events

import (
	"bytes"
	"embed"
	"fmt"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed *.schema.json
var schemaFiles embed.FS

var schemaNames = map[string]string{
	TypeBookingCreated:    "booking-created",
	TypeBookingConfirmed:  "booking-confirmed",
	TypeBookingCancelled:  "booking-cancelled",
	TypePaymentConfirmed:  "payment-confirmed",
	TypePaymentFailed:     "payment-failed",
	TypePaymentRefunded:   "payment-refunded",
	TypeEventChanged:      "event-changed",
	TypeEventAvailability: "event-availability",
	TypeAccountMail:       "account-mail",
	TypeAuditEntry:        "audit-entry",
}

var compiled = sync.OnceValues(compileSchemas)

// Validate checks a message's data against the schema of its CloudEvents type.
// Tests of producers and consumers use it. The error names each wrong member.
func Validate(ceType string, data []byte) error {
	schemas, err := compiled()
	if err != nil {
		return err
	}
	schema, ok := schemas[ceType]
	if !ok {
		return fmt.Errorf("events: no schema for type %q", ceType)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("events: %s: %w", ceType, err)
	}
	if err := schema.Validate(value); err != nil {
		return fmt.Errorf("events: %s: %w", ceType, err)
	}
	return nil
}

func compileSchemas() (map[string]*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schemas := make(map[string]*jsonschema.Schema, len(schemaNames))
	for ceType, name := range schemaNames {
		file := name + ".schema.json"
		raw, err := schemaFiles.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("events: %w", err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("events: %s: %w", file, err)
		}
		if err := c.AddResource(file, doc); err != nil {
			return nil, fmt.Errorf("events: %s: %w", file, err)
		}
		if schemas[ceType], err = c.Compile(file); err != nil {
			return nil, fmt.Errorf("events: %s: %w", file, err)
		}
	}
	return schemas, nil
}
