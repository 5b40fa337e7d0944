# Two commands do everything: `make demo` and `make test`. Each sets up .venv by itself.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --require-virtualenv
# Tests run on both cores of a small machine; JOBS=0 runs them in one process.
JOBS   ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test test-scale lint types contracts doctest claims bench docs docs-serve format clean

help:  ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

demo: $(VENV)/.demo  ## Train an update on real data, plainly and congruently; compare, gate, write the reports
	@$(BIN)/python -m segue.demo $(DEMO)

test: $(VENV)/.dev  ## Run every check and every test
	@$(MAKE) --no-print-directory lint types contracts docs claims
	@$(BIN)/python tools/get_browser.py
	$(BIN)/pytest -q -n $(JOBS) --dist loadfile --doctest-modules src tests -m "not scale"

test-scale: $(VENV)/.dev $(VENV)/.spark  ## Run the tests that need a heavy engine (Spark; needs Java)
	$(BIN)/pytest -q -m scale tests

lint: $(VENV)/.dev  ## Lint, and check the format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pydoclint -q src

types: $(VENV)/.dev  ## Check types
	$(BIN)/mypy

contracts: $(VENV)/.dev  ## Check what imports what
	$(BIN)/lint-imports --no-logo

docs: $(VENV)/.dev  ## Build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

docs-serve: $(VENV)/.dev  ## Serve the documentation while it is written
	$(BIN)/mkdocs serve

claims: $(VENV)/.dev  ## Recompute every claim from its record; fail if docs/claims.md says something else
	$(BIN)/python -m benchmarks.claims --check

bench: $(VENV)/.dev  ## Run every benchmark anew (hours); BENCH=--quick for a smoke run
	$(BIN)/python -m benchmarks.run_all $(BENCH)

format: $(VENV)/.dev  ## Format the code and mend what can be mended by a tool
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## Remove everything that was built, the virtual environment included
	rm -rf $(VENV) site demo-output .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Setting up: pip with the tested versions. A stamp says which extras are installed.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Segue needs Python 3.11 or later, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo missing)." \
	       "Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' lacks the venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.demo

$(VENV)/.spark: $(VENV)/.dev
	@java -version >/dev/null 2>&1 || { echo "Spark needs Java 17 or later on the PATH" >&2; exit 1; }
	$(PIP) install --quiet --constraint constraints.txt --editable '.[spark]'
	@touch $@
