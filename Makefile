# Frontrow on a bare machine: `make help`.
SHELL := /bin/bash
LOCALENV := .run/bin/localenv
export S
# The rounds of `make robustness`. The mutants are shown when all of them are run.
SEEDS ?= 1 2
MINUTES ?= 16
MUTANTS := $(if $(filter file,$(origin SEEDS)),-mutants)

ifeq ($(shell command -v go),)
$(error Go is not on PATH: install Go 1.26 or later, then try again)
endif

# The pictures that the README shows.
SHOWN := event-desktop event-near-desktop checkout-desktop tickets-desktop sales-desktop event-phone check-in-phone

.DEFAULT_GOAL := help
.PHONY: help up down status logs restart clean demo bench pgo test lint build localenv robustness images screenshots sbom kind-up kind-down k8s-test

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

up: localenv ## get the backends, build, migrate and start everything; again: start what is not running. DEMO=1: put events on sale
	@$(LOCALENV) up
	@[ -z "$(DEMO)" ] || { set -a; . .run/env; set +a; go run ./test/seed; }

down: localenv ## stop everything, keep the data
	@$(LOCALENV) down

status: localenv ## show the processes
	@$(LOCALENV) status

logs: localenv ## show the logs and follow them; S=booking: of one service
	@$(LOCALENV) logs -s "$(S)"

restart: localenv ## restart the processes whose name begins with S: make restart S=booking
	@$(LOCALENV) restart -s "$(S)"

clean: localenv ## stop everything, remove the data
	@$(LOCALENV) clean

demo: ## sell an event to 200 buyers at once, on what `make up` started, and count
	@[ -n "$$FRONTROW_URL" ] || test -f .run/env || { echo 'error: nothing is running: `make up` first' >&2; exit 1; }
	@[ -n "$$FRONTROW_URL" ] || { set -a; . .run/env; set +a; }; go run ./test/demo

bench: localenv ## measure how fast it sells, on ports and data of its own; a quarter of an hour
	@$(LOCALENV) bench

pgo: localenv ## profile the services under load, for the compiler (services/*/default.pgo); two minutes on a quiet machine
	@tools/release/pgo

robustness: localenv ## hurt a cluster in every way while people buy, then count; an hour. SEEDS="3 4" MINUTES=2: these rounds only
	@go build -o .run/bin/robustness ./test/robustness
	@.run/bin/robustness -instance cluster -duration $(MINUTES)m -seed "$(SEEDS)" $(MUTANTS)

test: localenv ## lint and test every module, then the whole, on ports and data of their own
	@$(LOCALENV) test

lint: localenv ## vet and lint every module
	@$(LOCALENV) lint

build: localenv ## build the services into .run/bin
	@$(LOCALENV) build

screenshots: ## pictures of every page of what `make up` started, into .run/screenshots; those of the README into docs/screenshots
	@[ -n "$$FRONTROW_URL" ] || test -f .run/env || { echo 'error: nothing is running: `make up` first' >&2; exit 1; }
	@[ -n "$$FRONTROW_URL" ] || { set -a; . .run/env; set +a; }; cd web && npx playwright test pages.spec.ts -g 'every page'
	@mkdir -p docs/screenshots; for name in $(SHOWN); do cp .run/screenshots/$$name.png docs/screenshots/; done

images: ## build the services' images
	@tools/release/images

sbom: ## write what the images are made of into .run/sbom (CycloneDX)
	@tools/release/sbom/write

kind-up: ## a cluster of kind with Frontrow in it; OPERATORS=1: with Strimzi and the other operators
	@k8s/kind/up

kind-down: ## remove the cluster of kind
	@kind delete cluster --name frontrow

k8s-test: ## upgrade, scale and kill Frontrow in the cluster of KUBECONFIG while it sells (K8S_LOAD, K8S_URL: k8s/test)
	@k8s/test

localenv:
	@cd tools/run/localenv && GOWORK=off go build -trimpath -buildvcs=false -o ../../../$(LOCALENV) .
