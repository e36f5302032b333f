module github.com/frontrow-tickets/frontrow/tools/no-registry/tilt

go 1.26.8

require (
	go.starlark.net v0.0.0-20250417143717-f57e51f710eb
	go.yaml.in/yaml/v3 v3.0.5
)

require golang.org/x/sys v0.0.0-20220715151400-c0bba94af5f8 // indirect
