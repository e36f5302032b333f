// Package rest holds the requests and responses of the public API as Go types,
// generated from openapi.yaml, and checks requests against it.
package rest

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -config oapi-codegen.yaml ../openapi.yaml
