// Package rest holds the requests and responses of the public API as Go types,
// generated from openapi.yaml, and checks requests against it.
package rest

//go:generate sh -c "GOWORK=off go tool -modfile=../../tools/test/oapi-codegen/go.mod oapi-codegen -config oapi-codegen.yaml ../openapi.yaml"
