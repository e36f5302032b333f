// Package api holds Frontrow's public contract.
package api

import _ "embed"

// OpenAPI is openapi.yaml, the contract of the public API (OpenAPI 3.1).
//
//go:embed openapi.yaml
var OpenAPI []byte
