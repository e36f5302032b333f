// Package log defines the entries of an event's log and the messages between
// booking-service's replicas, generated from log.proto by protoc (Debian:
// protobuf-compiler).
package log

//go:generate sh -c "protoc --plugin=protoc-gen-go=$(go tool -n protoc-gen-go) --go_out=. --go_opt=paths=source_relative log.proto"
