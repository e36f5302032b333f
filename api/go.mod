module github.com/frontrow-tickets/frontrow/api

go 1.26.8

require (
	github.com/google/uuid v1.6.0
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.2
	go.yaml.in/yaml/v3 v3.0.5
	google.golang.org/protobuf v1.36.12
)

require golang.org/x/text v0.14.0 // indirect

tool google.golang.org/protobuf/cmd/protoc-gen-go
