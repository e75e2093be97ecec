# up · test · check: see README.md. Everything is installed into .venv; nothing else on the machine is touched.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: up test test-docker test-postgres check bench bench-api bench-certs fuzz-api bench-health bench-log replace switches format clean

up: .venv/installed-up
	@exec $(BIN)/narthex up

test: .venv/installed-dev
	@$(BIN)/python -m pytest

# Discovery on a real Docker engine that the tests start: needs root, dockerd and a static busybox.
test-docker: .venv/installed-dev
	@NARTHEX_TEST_DOCKER=1 $(BIN)/python -m pytest tests/integration/test_registry_discovery.py

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

# Health workers: probes a second of one, and who takes over when one of three dies. ROWS="capacity sharing" for one.
bench-health: .venv/installed-dev
	@PYTHONPATH=tests $(BIN)/python -P -m bench.health $(ROWS)

# The request log: records in, how soon they are seen, questions to 10 million. ROWS="metadata" for some of it.
bench-log: .venv/installed-dev
	@PYTHONPATH=tests $(BIN)/python -P -m bench.log $(ROWS)

# Schemathesis over the whole API, EXAMPLES of each operation: half an hour with 100. `make test` has a short run.
fuzz-api: .venv/installed-dev
	@FUZZ_EXAMPLES="$(or $(EXAMPLES),100)" $(BIN)/python -m pytest -s --timeout 0 tests/attacks/test_api_fuzz.py

# Fifty version switches with open streams and requests all the while: none may fail.
switches: .venv/installed-dev
	@SWITCHES="$(or $(SWITCHES),50)" $(BIN)/python -m pytest --timeout 0 -k rolling tests/e2e/test_instances.py

# Certificates of 1,000 services from a CA that validates each, and renewals under load; root for apt. 4 minutes.
# ROWS="one many swap" for some of it, SERVICES=100 for fewer.
bench-certs: .venv/installed-dev
	@PYTHONPATH=tests $(BIN)/python -P -m bench.certs $(ROWS)

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
