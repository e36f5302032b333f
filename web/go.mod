module github.com/frontrow-tickets/frontrow/web

go 1.26

ignore ./node_modules
