# `make run` and `make test` are all that is needed; `make help` lists the rest.
SHELL := /bin/sh
# The system's Python first: other users can run it too, one below /root they cannot.
PYTHON ?= $(shell command -v /usr/bin/python3.11 || command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
export LEXIFLOW_ENV ?= development

.DEFAULT_GOAL := help
.PHONY: help run test bench bench-search topology soak soak-cache install lint types imports migrations-check openapi openapi-check clean-local

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

run: $(VENV)/runtime ## start LexiFlow with demo data; PORT and HOST choose the address
	@exec $(BIN)/python manage.py run_demo

test: $(VENV)/tests ## run the tests
	@exec $(BIN)/python -m pytest -n 2 --dist loadscope $(ARGS)

bench: $(VENV)/tests ## measure, one benchmark after the other; ONLY=limiter for one
	@for file in tests/benchmarks/bench_$(or $(ONLY),*).py; do name=$$(basename $$file .py); \
	    run="-m tests.benchmarks.$$name"; \
	    ! grep -q '^def test_' $$file || run="-m pytest $$file -n 0 -s -q -p no:cacheprovider"; \
	    echo "== $$name"; $(BIN)/python $$run || failed="$$failed $$name"; \
	done; [ -z "$$failed" ] || { echo "Over the allowance:$$failed"; exit 1; }

soak-cache: $(VENV)/tests ## watch what memory the cache takes under load, for SECONDS (180)
	@SOAK_SECONDS=$(or $(SECONDS),180) exec $(BIN)/python -m pytest tests/benchmarks/soak_cache.py \
	    -n 0 -s -q -p no:cacheprovider $(ARGS)

bench-search: $(VENV)/tests ## how well and how fast documents are found, beside FTS5 and tantivy
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/benchmarks/requirements.txt
	@exec $(BIN)/python -m pytest -s -q -p no:cacheprovider tests/benchmarks/bench_search.py \
	    tests/benchmarks/bench_search_speed.py $(ARGS)

topology: $(VENV)/tests ## start the installation of deploy/ on this machine and walk through it; STAY=1 leaves it up
	@exec $(BIN)/python -m deploy.topology $(if $(STAY),--stay)

soak: $(VENV)/tests ## load and memory for MINUTES (20), restarts included
	@exec $(BIN)/python -m tests.operations.soak --minutes $(or $(MINUTES),20)

install: $(VENV)/tests ## install everything into .venv

lint: $(VENV)/tests ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/tests ## mypy --strict
	$(BIN)/mypy

imports: $(VENV)/tests ## who may import whom
	$(BIN)/lint-imports

migrations-check: $(VENV)/tests ## models and migrations say the same
	$(BIN)/python manage.py makemigrations --check --dry-run

openapi: $(VENV)/tests ## write docs/openapi.json
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --format openapi-json --file docs/openapi.json

openapi-check: $(VENV)/tests ## docs/openapi.json is what the code says
	@$(BIN)/python manage.py spectacular --validate --fail-on-warn --format openapi-json --file $(VENV)/openapi.json
	diff -u docs/openapi.json $(VENV)/openapi.json

clean-local: ## stop the local servers and delete their data, files and demo accounts
	$(BIN)/python manage.py devservices erase
	rm -rf .lexiflow

# Debian splits pip out of Python; where `ensurepip` is missing, the system's pip fills the
# environment from outside.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	    || { echo "LexiFlow needs Python 3.11; found $$($(PYTHON) --version). Use: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
	    $(PYTHON) -m venv --clear --without-pip $(VENV) && \
	    $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; } 2>/dev/null || \
	    python3.11 -m venv --clear $(VENV) 2>/dev/null || { \
	    rm -rf $(VENV); echo "Python can make no environment here. On Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/runtime: requirements.txt | $(BIN)/python
	@echo "Installing LexiFlow into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/tests: requirements.txt tests/requirements.txt | $(BIN)/python
	@echo "Installing LexiFlow and its tests into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r tests/requirements.txt
	@touch $@ $(VENV)/runtime
