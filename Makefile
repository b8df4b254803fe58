# `make demo` shows the product, `make test` checks it. Everything else is a part of those two.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CARGO ?= cargo
TOOLS := $(VENV)/.tools-2

.PHONY: help demo test lint unit contracts bench docs

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: ## build, make a day of sample logs, run everything, show alerts
	$(CARGO) build --locked --profile demo --bin mantissa
	$(CARGO) run --quiet --locked --profile demo --bin mantissa -- demo

test: lint unit ## everything that must pass

$(TOOLS):
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r tools.txt
	@touch $@

lint: $(TOOLS) ## format, clippy with warnings denied, licences and bans
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(BIN)/cargo-deny --locked check --hide-inclusion-graph licenses bans sources

unit: $(TOOLS) ## unit, conformance and end-to-end tests
	$(CARGO) build --locked --workspace --all-targets
	$(BIN)/cargo-nextest nextest run --locked --workspace --no-fail-fast

contracts: ## write the schemas, AsyncAPI and topology anew from the types
	MANTISSA_BLESS=1 $(CARGO) test --locked -p mantissa-tests --test contracts

docs: ## API documentation of our crates
	$(CARGO) doc --locked --workspace --no-deps

$(VENV)/.bench-1: loadtest/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r loadtest/requirements.txt
	@touch $@

bench: $(VENV)/.bench-1 ## measure ingest, detect and the alert pipeline; arguments in BENCH="…"
	$(CARGO) run --release --locked --bin mantissa-bench -- --python $(BIN)/python $(BENCH)
