# Everything a developer does here. Needs Python 3.11 to 3.13 and make; the rest is set up on first use.

.DEFAULT_GOAL := help
SHELL := /bin/sh
# The virtual environment, and the interpreter that it is made of: make test PYTHON=/usr/bin/python3.11. An environment of
# another interpreter is made anew; without PYTHON the one that is there stays.
VENV ?= .venv
PYTHON ?=
BIN = $(VENV)/bin
PORT ?= 9000
# Arguments for pytest, such as: make test ARGS="tests/api -k tasks"
ARGS ?=

# Processes that run tests at once: one for each core, at most 4.
JOBS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -lt 4 ] && echo $$n || echo 4)

# How many rounds of faults, and from which seed on.
ROUNDS ?= 3
SEED ?= 1

.PHONY: help setup run demo test kill-test upgrade-test image-test metal kube-apiserver check pythons format smoke chaos bench samples pins clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup  ## Start everything, deploy the example site, keep serving on PORT (9000) until Ctrl-C
	@$(BIN)/python -m dev.run --port $(PORT)

demo: setup  ## The same, but end when the site is deployed: exit 0 if it was
	@$(BIN)/python -m dev.run --port $(PORT) --once

test: setup  ## Run all tests, with a real PostgreSQL and a real Keystone
	@$(BIN)/python -m dev.prepare
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)
	@echo "Not run here, as it keeps two cores busy for a quarter of an hour and needs root on Debian: make metal."
	@echo "Here a QEMU machine without a system was switched by Redfish (tests/drivers/test_redfish_libvirt.py)."

kill-test: setup  ## Kill workers with -9 in each step and each request of nodes' lives in a real Ironic
	@$(BIN)/python -m dev.prepare
	DRYDOCK_TEST_KILLS=all $(BIN)/python -m pytest -s tests/e2e/test_ironic_kills.py

upgrade-test: setup  ## Deploy with processes of this release and of earlier ones mixed, both ways
	@$(BIN)/python -m dev.prepare
	$(BIN)/python -m pytest tests/upgrade

image-test: setup  ## Build the image with buildah and run it with podman, where both are installed
	$(BIN)/python -m pytest tests/image

metal: setup  ## Install two blank QEMU machines by Redfish and a real Ironic, end to end (root, Debian)
	@$(BIN)/python -m dev.metal $(ARGS)

kube-apiserver: setup  ## Build a Kubernetes API server for the tests, once, in 5 to 20 minutes (Debian, with Go)
	@$(BIN)/python -m dev.peers.kube_apiserver

check: setup  ## Format, lint, types, import rules, generated files, unit tests
	@$(BIN)/python -m dev.machine_tools
	@$(BIN)/python -m dev.check

pythons: setup  ## Unit tests, start and a deployment on each other Python 3.11 to 3.13 of this machine
	@$(BIN)/python -m dev.pythons

format: setup  ## Format the code and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

smoke:  ## Check a running service with curl (DRYDOCK_URL, default http://127.0.0.1:9000)
	@sh dev/smoke.sh

chaos: setup  ## Inject faults at random while sites are deployed (ROUNDS, SEED)
	@$(BIN)/python -m tests.chaos --rounds $(ROUNDS) --seed $(SEED)

bench: setup  ## Run all benchmarks in their short form
	@$(BIN)/python -m bench

samples: setup  ## Write etc/drydock/*.sample and docs/reference/{api.md,openapi.json,statements.sql} anew
	@PATH="$$(cd $(BIN) && pwd):$$PATH" sh dev/samples.sh

pins: setup  ## Write requirements*.txt from what is installed and was tested
	$(BIN)/python -m dev.pins

clean:  ## Remove what was set up, the development database included
	@sh dev/clean.sh

setup:
	@VENV="$(VENV)" PYTHON="$(PYTHON)" sh dev/setup.sh
