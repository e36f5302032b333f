# `make help` lists the targets.
SHELL := /bin/bash
LOCALENV := .run/bin/localenv
export S
# The rounds of `make robustness`. The mutants run only after the default rounds.
SEEDS ?= 1 2
MINUTES ?= 16
MUTANTS := $(if $(filter file,$(origin SEEDS)),-mutants)

ifeq ($(shell command -v go),)
$(error Go is not on PATH: install Go 1.26 or later, then try again)
endif

.DEFAULT_GOAL := help
.PHONY: help up down status logs restart clean demo bench pgo test lint build localenv robustness queue-sim images screenshots sbom kind-up kind-down k8s-test

help: ## list the targets
	@awk -F ':.*## ' '/^## / { print "\n" substr($$0, 4) } /^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

## Run it locally

up: localenv ## download, build, migrate and start what is not running; DEMO=1 puts events on sale
	@$(LOCALENV) up
	@[ -z "$(DEMO)" ] || { set -a; . .run/env; set +a; go run ./test/seed; }

down: localenv ## stop everything and keep the data
	@$(LOCALENV) down

status: localenv ## show the processes
	@$(LOCALENV) status

logs: localenv ## follow the logs; S=booking: of one service
	@$(LOCALENV) logs -s "$(S)"

restart: localenv ## restart the processes whose names begin with S: make restart S=booking
	@$(LOCALENV) restart -s "$(S)"

clean: localenv ## stop everything and remove the data
	@$(LOCALENV) clean

demo: ## let 200 buyers race for one event, then audit the stores
	@[ -n "$$FRONTROW_URL" ] || test -f .run/env || { echo 'error: nothing is running: `make up` first' >&2; exit 1; }
	@[ -n "$$FRONTROW_URL" ] || { set -a; . .run/env; set +a; }; go run ./test/demo

build: localenv ## build the services into .run/bin
	@$(LOCALENV) build

kind-up: ## create a kind cluster that runs Frontrow; OPERATORS=1: with Strimzi and the other operators
	@k8s/kind/up

kind-down: ## remove the kind cluster
	@kind delete cluster --name frontrow

## Test it

test: localenv ## lint and test every module, then the whole system on a separate instance
	@$(LOCALENV) test

lint: localenv ## vet and lint every module
	@$(LOCALENV) lint

robustness: localenv ## inject faults into a cluster while people buy, then check the invariants; an hour. SEEDS="3 4" MINUTES=2: these rounds only
	@go build -o .run/bin/robustness ./test/robustness
	@.run/bin/robustness -instance cluster -duration $(MINUTES)m -seed "$(SEEDS)" $(MUTANTS)

queue-sim: ## simulate sales with a queue: a table, and .run/queue-sim.html with charts; half a minute
	@go run ./services/booking-service/queuesim

bench: localenv ## measure throughput and latency on a separate instance; a quarter of an hour
	@$(LOCALENV) bench

k8s-test: ## upgrade, scale and kill Frontrow in the cluster of KUBECONFIG while it sells (variables: k8s/test)
	@k8s/test

## Release it

images: ## build the services' images
	@tools/release/images

sbom: ## write the images' bills of materials into .run/sbom (CycloneDX)
	@tools/release/sbom/write

pgo: localenv ## profile the services under load for the compiler (services/*/default.pgo); two minutes on an idle machine
	@tools/release/pgo

screenshots: ## take the README's pictures of a new `make up DEMO=1`
	@[ -n "$$FRONTROW_URL" ] || test -f .run/env || { echo 'error: nothing is running: `make up DEMO=1` first' >&2; exit 1; }
	@[ -n "$$FRONTROW_URL" ] || { set -a; . .run/env; set +a; }; cd web && npx playwright test -c playwright.screenshots.config.ts

localenv:
	@cd tools/run/localenv && GOWORK=off go build -trimpath -buildvcs=false -o ../../../$(LOCALENV) .
