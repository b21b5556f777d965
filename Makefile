# Two commands do all the set-up: `make app` and `make test`. A bare `make` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV := $(shell command -v uv)
BIN := .venv/bin
export DENO_NO_UPDATE_CHECK := 1
# Compiled once, not by each worker and each server that the tests start.
export PYTHONDONTWRITEBYTECODE :=
PORT ?= 8501
# A worker takes one file after another, in the order of tests/order.py. Random worlds a property:
# as many as fit into two minutes; `make soak` tries more, and repetitions marked `soak`.
EVERYDAY := SHICHENG_EXAMPLES=25 SHICHENG_EXAMPLES_TOGETHER=25 SHICHENG_EXAMPLES_SPARK=25
WORKERS := $(EVERYDAY) $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: .venv/.runtime ## .venv with the `shicheng` command in it
app: .venv/.runtime ## the app at http://127.0.0.1:8501, with its database and a demo network
	$(BIN)/shicheng app --demo --port $(PORT)

check: .venv/.dev ## ruff, mypy, unit and conformance tests: before each commit
	$(MAKE) lint
	$(WORKERS) -m "not soak" -q tests/unit tests/conformance

hooks: .venv/.dev ## run ruff and mypy before each commit
	$(BIN)/pre-commit install

test: .venv/.dev packages ## all tests, Chromium included; queries and loads on Neo4j 5.26 too
	$(WORKERS) -m "not soak"
	SHICHENG_NEO4J_VERSION=5.26.30 $(WORKERS) -m "lts and not soak" tests/live

lint: .venv/.dev ## ruff, mypy in strict mode, Deno on the JavaScript of ui/, secrets
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/deno lint --quiet
	$(BIN)/deno fmt --check --quiet
	$(BIN)/deno check --quiet ui
	@$(MAKE) -s secrets

# Every line is held to 27 patterns, 10 s for all files: after the first time only for files that
# changed since (by the time of their inode, which a copy cannot take along). Nothing is asked of
# any service (-n). A finding that is no secret ends with `# pragma: allowlist secret`.
SECRETS := .venv/.secrets
secrets: .venv/.dev ## passwords, keys and tokens in files of the repository that changed
	@test -e $(SECRETS) || touch -d @0 $(SECRETS)
	@touch $(SECRETS).begun
	@git ls-files -z | xargs -0 sh -c 'find "$$@" -maxdepth 0 -type f -cnewer $(SECRETS) -print0' sh | \
	  xargs -0 -r $(BIN)/detect-secrets-hook -n
	@mv $(SECRETS).begun $(SECRETS)

bench: .venv/.dev ## the figures of docs/benchmarks.md, measured on this machine
	$(BIN)/python -m benchmarks.run

# EXCHANGE is where the nation is written and read again; 12 GB free beside it, an hour or two.
EXCHANGE ?= build/nation
bench-national: .venv/.dev ## the figures at national size: load, delta, engines, peers, metrics, growth
	$(BIN)/python -m benchmarks.national $(EXCHANGE)

bench-lineage: .venv/.dev packages ## first paint, a click and an expansion of the lineage in Chromium
	$(BIN)/python -m benchmarks.lineage

soak: .venv/.dev packages ## the exactness figures in full, 10,000 random worlds an engine; every kill and order; hours
	$(BIN)/python -m benchmarks.soak

docs: .venv/.dev packages ## docs/model.md, docs/commands.md and all pictures, by opening every page
	$(BIN)/python -m docs.make
	SHICHENG_PICTURES=docs/guide/pictures $(BIN)/pytest -q tests/browser/test_every_page.py
	SHICHENG_PICTURES=docs/pictures $(BIN)/pytest -q tests/browser/test_wikidata.py

# The locks hold versions and hashes only, so that any index or mirror may serve them.
lock: ## requirements.lock and requirements-dev.lock from pyproject.toml (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate -p 3.11 \
	  pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate -p 3.11 \
	  pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

.venv/.runtime: requirements.lock pyproject.toml
	$(call sync,requirements.lock)
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.lock
	$(call sync,requirements-dev.lock)
	@touch $@

ifneq ($(UV),)
define sync
	@echo "Environment: Python packages of $(1) into .venv"
	test -x $(BIN)/python || $(UV) venv -q -p $(PYTHON) .venv
	$(UV) pip sync -q --python $(BIN)/python $(1)
	$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
endef
else
define sync
	@echo "Environment: Python packages of $(1) into .venv (once; some minutes)"
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "Python's venv is missing: install it (Debian, Ubuntu: apt-get install python3-venv), or install uv"; exit 1; }
	@{ $(BIN)/python -m pip install --require-hashes -r $(1) 2>&1 || touch .venv/.failed; } | \
	  awk -v all="$$(grep -c '==' $(1))" '/^Collecting/ && ++n % 40 == 0 \
	  {printf "  %d of at most %d packages\n", n, all; fflush()} /^ERROR/'
	@if test -e .venv/.failed; then rm .venv/.failed; exit 1; fi
	@$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
endef
endif

packages: .venv/.dev ## what apt-get has to install for the tests: Chromium and a font
	@$(BIN)/python -m tests.install

.PHONY: help env app check hooks test lint secrets bench bench-lineage bench-national soak docs lock packages
