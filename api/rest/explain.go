package rest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// explain says in plain English what a schema's errors mean.
func (c *contract) explain(e *jsonschema.ValidationError) []FieldError {
	field := path(e.InstanceLocation)
	one := func(code, message string, args ...any) []FieldError {
		return []FieldError{{Field: field, Code: code, Message: fmt.Sprintf(message, args...)}}
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		var all []FieldError
		for _, name := range k.Missing {
			all = append(all, FieldError{Field: join(field, name), Code: "required", Message: "is required"})
		}
		return all
	case *kind.AdditionalProperties:
		var all []FieldError
		for _, name := range k.Properties {
			all = append(all, FieldError{Field: join(field, name), Code: string(CodeUnknownField), Message: "does not belong here"})
		}
		return all
	case *kind.Type:
		switch {
		case k.Got == "null":
			return one("required", "must not be null")
		case k.Got == "number" && slices.Contains(k.Want, "integer"):
			return one("wrong_type", "must be a whole number")
		}
		return one("wrong_type", "must be %s, not %s", oneOf(k.Want, typeName), typeName(k.Got))
	case *kind.Enum:
		return one("unknown", "must be %s", oneOf(k.Want, func(v any) string { return fmt.Sprint(v) }))
	case *kind.Format:
		return one("invalid", "must be %s", formatName(k.Want))
	case *kind.Pattern:
		if example := c.examples[k.Want]; example != "" {
			return one("invalid", "must look like %s (pattern %s)", example, k.Want)
		}
		return one("invalid", "must match the pattern %s", k.Want)
	case *kind.MinLength:
		if k.Got == 0 {
			return one("required", "must not be empty")
		}
		return one("too_short", "must have at least %d characters", k.Want)
	case *kind.MaxLength:
		return one("too_long", "must have at most %d characters", k.Want)
	case *kind.MinItems:
		if k.Got == 0 {
			return one("required", "must not be empty")
		}
		return one("too_few", "must have at least %d items", k.Want)
	case *kind.MaxItems:
		return one("too_many", "must have at most %d items", k.Want)
	case *kind.UniqueItems:
		return one("duplicate", "must not repeat an item")
	case *kind.Minimum:
		return one("out_of_range", "must be at least %s", k.Want.RatString())
	case *kind.Maximum:
		return one("out_of_range", "must be at most %s", k.Want.RatString())
	case *kind.OneOf, *kind.AnyOf, *kind.Not:
		return one("invalid", "must match one of the alternatives")
	}
	var all []FieldError
	for _, cause := range e.Causes {
		all = append(all, c.explain(cause)...)
	}
	if all == nil {
		return one("invalid", "must match %s", strings.Join(e.ErrorKind.KeywordPath(), "."))
	}
	return all
}

// path writes the way to a value as in sections[2].rows[0].label.
func path(location []string) string {
	var out string
	for _, step := range location {
		if _, err := strconv.Atoi(step); err == nil {
			out += "[" + step + "]"
		} else {
			out = join(out, step)
		}
	}
	return out
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// oneOf writes a choice as in "a, b or c".
func oneOf[T any](values []T, write func(T) string) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = write(v)
	}
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func typeName(name string) string {
	switch name {
	case "array":
		return "a list"
	case "boolean":
		return "true or false"
	case "integer":
		return "a whole number"
	case "null":
		return name
	case "object":
		return "an object"
	}
	return "a " + name
}

func formatName(name string) string {
	switch name {
	case "date-time":
		return "an RFC 3339 time, such as 2027-05-01T19:30:00Z"
	case "email":
		return "an e-mail address"
	case "uuid":
		return "a UUID"
	}
	return "a valid " + name
}
