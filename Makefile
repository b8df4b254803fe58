# `make demo` shows the product, `make test` checks it. Everything else is a part of those two.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CARGO ?= cargo
TOOLS := $(VENV)/.tools-2
PULUMI := pulumi/node_modules/.installed

.PHONY: help demo test lint unit parity contracts bench docs lambda lambda-load

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

$(PULUMI): pulumi/package-lock.json
	cd pulumi && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

lint: $(TOOLS) $(PULUMI) ## format, clippy with warnings denied, types, licences and bans
	cd pulumi && npm run --silent lint
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(BIN)/cargo-deny --locked check --hide-inclusion-graph licenses bans sources

unit: $(TOOLS) $(PULUMI) ## unit, conformance and end-to-end tests
	cd pulumi && npm test --silent
	$(CARGO) build --locked --workspace --all-targets
	$(BIN)/cargo-nextest nextest run --locked --workspace --no-fail-fast; \
		ended=$$?; $(PYTHON) tests/print_conformance.py || exit 1; exit $$ended

# On Trino: the adapter's own tests, our SQL beside the embedded engine's, and an alert's way through AWS.
parity: $(TOOLS) $(PULUMI) ## the same answers on a real Trino, which is fetched from Maven
	$(CARGO) build --locked --workspace --all-targets
	$(PYTHON) services/platform/trino/with_trino.py $(BIN)/cargo-nextest nextest run --locked --workspace \
		--no-fail-fast -E 'binary_id(mantissa-trino::conformance) or test(/^parity::/) or test(/^walk::/)'

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

$(VENV)/.lambda-1: services/hosts/aws/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r services/hosts/aws/requirements.txt
	@touch $@

# Zig is the linker and the libc of Lambda's own system; the arm64 packages need a target that rustup fetches.
lambda: $(VENV)/.lambda-1 ## release packages of the functions in target/lambda, their sizes and cold starts
	$(BIN)/python services/hosts/aws/build_packages.py

lambda-load: lambda $(TOOLS) $(PULUMI) ## the packages at work in an emulator, and the memory they take
	$(CARGO) build --locked --workspace --all-targets
	MANTISSA_PACKAGES=target/lambda/$(subst aarch64,arm64,$(shell uname -m)) \
		$(BIN)/cargo-nextest nextest run --locked --workspace -E 'test(/^packages::/) or test(/^walk::/)'
