# Frontrow on a bare machine: `make help`.
SHELL := /bin/bash
STACK := .run/bin/stack
export S
# The rounds of `make robustness`. The mutants run only after the default rounds.
SEEDS ?= 1 2
MINUTES ?= 16
MUTANTS := $(if $(filter file,$(origin SEEDS)),-mutants)

ifeq ($(shell command -v go),)
$(error Go is not on PATH: install Go 1.26 or later, then try again)
endif

# The pictures that the README shows.
SHOWN := event-desktop event-near-desktop checkout-desktop tickets-desktop sales-desktop event-phone check-in-phone

.DEFAULT_GOAL := help
.PHONY: help up down status logs restart clean demo bench pgo test lint build stack robustness images screenshots sbom kind-up kind-down k8s-test

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

up: stack ## download, build, migrate and start what is not running; DEMO=1 puts events on sale
	@$(STACK) up
	@[ -z "$(DEMO)" ] || { set -a; . .run/env; set +a; go run ./test/seed; }

down: stack ## stop everything and keep the data
	@$(STACK) down

status: stack ## show the processes
	@$(STACK) status

logs: stack ## follow the logs; S=booking: of one service
	@$(STACK) logs -s "$(S)"

restart: stack ## restart the processes whose names begin with S: make restart S=booking
	@$(STACK) restart -s "$(S)"

clean: stack ## stop everything and remove the data
	@$(STACK) clean

demo: ## let 200 buyers race for one event, then audit the stores
	@[ -n "$$FRONTROW_URL" ] || test -f .run/env || { echo 'error: nothing is running: `make up` first' >&2; exit 1; }
	@[ -n "$$FRONTROW_URL" ] || { set -a; . .run/env; set +a; }; go run ./test/demo

bench: stack ## measure throughput and latency on a separate instance; a quarter of an hour
	@$(STACK) bench

pgo: stack ## profile the services under load for the compiler (services/*/default.pgo); two minutes on an idle machine
	@tools/pgo

robustness: stack ## inject faults into a cluster while people buy, then check the invariants; an hour. SEEDS="3 4" MINUTES=2: these rounds only
	@go build -o .run/bin/robustness ./test/robustness
	@.run/bin/robustness -instance cluster -duration $(MINUTES)m -seed "$(SEEDS)" $(MUTANTS)

test: stack ## lint and test every module, then the whole system on a separate instance
	@$(STACK) test

lint: stack ## vet and lint every module
	@$(STACK) lint

build: stack ## build the services into .run/bin
	@$(STACK) build

screenshots: ## take screenshots of every page of `make up` into .run/screenshots, and copy the README's into docs/screenshots
	@[ -n "$$FRONTROW_URL" ] || test -f .run/env || { echo 'error: nothing is running: `make up` first' >&2; exit 1; }
	@[ -n "$$FRONTROW_URL" ] || { set -a; . .run/env; set +a; }; cd web && npx playwright test pages.spec.ts -g 'every page'
	@mkdir -p docs/screenshots; for name in $(SHOWN); do cp .run/screenshots/$$name.png docs/screenshots/; done

images: ## build the services' images; STANDIN=1: also substitutes for the public ones (tools/images)
	@tools/images/build

sbom: ## write the images' bills of materials into .run/sbom (CycloneDX)
	@tools/images/sbom

kind-up: ## create a kind cluster that runs Frontrow; OPERATORS=1: with Strimzi and the other operators
	@tools/k8s/kind-up

kind-down: ## remove the kind cluster
	@kind delete cluster --name frontrow

k8s-test: ## upgrade, scale and kill Frontrow in the cluster of KUBECONFIG while it sells (variables: tools/k8s/test)
	@tools/k8s/test

stack:
	@cd tools/stack && GOWORK=off go build -trimpath -buildvcs=false -o ../../$(STACK) .
