# Two commands do all the set-up: `make app` and `make test`. A bare `make` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV := $(shell command -v uv)
BIN := .venv/bin
PORT ?= 8501

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: .venv/.runtime ## .venv with the `shicheng` command in it
app: .venv/.runtime ## the app at http://127.0.0.1:8501, with its database and a demo network
	$(BIN)/shicheng app --demo --port $(PORT)

test: .venv/.dev packages ## all tests, Chromium included; queries and loads on Neo4j 5.26 too
	$(BIN)/pytest
	SHICHENG_NEO4J_VERSION=5.26.30 $(BIN)/pytest -m lts

lint: .venv/.dev ## ruff, and mypy strict on graph/ and loaders/
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy graph loaders

bench: .venv/.dev ## the figures of docs/benchmarks.md, measured on this machine
	$(BIN)/python -m benchmarks.run

# EXCHANGE is where the nation is written and read again; 12 GB free beside it, an hour or two.
EXCHANGE ?= build/nation
bench-national: .venv/.dev ## the figures at national size: load, delta, engines, peers, metrics, growth
	$(BIN)/python -m benchmarks.national $(EXCHANGE)

bench-lineage: .venv/.dev packages ## first paint, a click and an expansion of the lineage in Chromium
	$(BIN)/python -m benchmarks.lineage

soak: .venv/.dev packages ## the exactness figures in full: 10,000 random worlds an engine; hours
	$(BIN)/python -m benchmarks.soak

docs: .venv/.dev ## docs/model.md, docs/commands.md and the pictures, made anew
	$(BIN)/python -m docs.make

guide: .venv/.dev packages ## the pictures of docs/guide, by opening every page
	SHICHENG_PICTURES=docs/guide/pictures $(BIN)/pytest -q tests/browser/test_every_page.py

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
	test -x $(BIN)/python || $(UV) venv -q -p $(PYTHON) .venv
	$(UV) pip sync -q --python $(BIN)/python $(1)
	$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
endef
else
define sync
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "Python's venv is missing: install it (Debian, Ubuntu: apt-get install python3-venv), or install uv"; exit 1; }
	$(BIN)/python -m pip install -q --require-hashes -r $(1)
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
endef
endif

packages: .venv/.dev
	@$(BIN)/python -m tests.install

.PHONY: help env app test lint bench bench-lineage bench-national soak docs lock packages
