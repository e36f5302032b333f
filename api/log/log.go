// Package log holds the entries of an event's log and what booking-service's
// replicas tell each other, generated from log.proto.
package log

//go:generate protoc --plugin=protoc-gen-go=../../.run/bin/protoc-gen-go --go_out=. --go_opt=paths=source_relative log.proto
