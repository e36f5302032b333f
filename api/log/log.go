// Package log holds the entries of an event's log and what booking-service's
// replicas tell each other, generated from log.proto by protoc (Debian:
// protobuf-compiler).
package log

//go:generate sh -c "protoc --plugin=protoc-gen-go=$(go tool -n protoc-gen-go) --go_out=. --go_opt=paths=source_relative log.proto"
