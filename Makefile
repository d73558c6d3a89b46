# Everything a person or a machine runs in this checkout. `make` alone lists it.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# A file of tests stays with one worker, so that what it shares is made once.
PYTEST := $(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow check bench superset superset-bundle superset-adopt pictures clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile

install: .venv/.installed ## Install the command `etl` into .venv

demo: .venv/.installed ## Start the embedded Postgres and play the sample catalogs: no network, no keys
	@$(BIN)/etl demo

test: .venv/.tested ## Run the tests that take seconds
	@$(PYTEST)

test-slow: .venv/.slow ## Run the tests that take minutes
	@$(PYTEST) -m slow

check: .venv/.tested ## Lint, types and architecture
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: .venv/.tested ## Measure (see benchmarks/)
	@$(BIN)/python -m benchmarks

superset: .venv/.installed ## Start Superset with the dashboards on 127.0.0.1:8088, in an environment of its own
	@$(BIN)/python -m bi.superset.serve

superset-bundle: .venv/.installed ## Pack the dashboards for another Superset into build/superset.zip
	@$(BIN)/python -m bi.superset.bundle

superset-adopt: .venv/.tested ## Take back what was changed in the browser, from EXPORT=the archive that it exported
	@$(BIN)/python -m bi.superset.adopt $(EXPORT)

pictures: .venv/.slow ## Draw the pictures of the report and the dashboards in docs/pictures, from the demo
	@$(BIN)/python -m bi.pictures

clean: ## Remove .venv and caches; the database and its data stay
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed: pyproject.toml requirements/base.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ found=$$($(PYTHON) -V 2>/dev/null); \
		echo "make: Python 3.11 or newer is needed, $(PYTHON) is $${found:-missing}: install it, or say make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "make: $(PYTHON) has no venv module: install it (Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@echo "installing into .venv …" >&2
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes -r requirements/base.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.slow: .venv/.tested requirements/slow.txt
	@echo "installing Spark and what drives a browser …" >&2
	@$(PIP) install --require-hashes -r requirements/slow.txt
	@touch $@

.venv/.tested: .venv/.installed requirements/dev.txt
	@echo "installing what the tests need …" >&2
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
