module github.com/frontrow-tickets/frontrow/tools/stack

go 1.26
