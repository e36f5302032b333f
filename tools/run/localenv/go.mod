module github.com/frontrow-tickets/frontrow/tools/run/localenv

go 1.26
