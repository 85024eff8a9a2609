# Every target does its whole set-up: a fresh clone needs Python 3.11 or newer, make, and a package registry within reach.
#   make run     install, build the dashboard, then start the desk: live where the venue answers, simulated and labelled where not
#   make test    every test; the core again with the JIT disabled and its branch coverage held to a floor
#   make check   lint, format, strict types, room contracts, house rules, docs
#   make bench   every speed claim, as ratios in one run
#   make fidelity  how true the fills are: real orders of a recording asked of the venue again (docs/fidelity.md)
#   make web     build the dashboard alone
#   make lock    compile both lock files anew from pyproject.toml (needs uv)
# VENV=… puts the environment elsewhere (for a checkout you cannot write to); PYTHON=… picks the interpreter.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := run

RUN_COMMAND ?= up --strategy quoter --strategy ema_cross
VENV ?= .venv
BIN := $(VENV)/bin

# Tests that run again under coverage with the JIT disabled, the code they must cover, and the floor in per cent of branches.
CORE_TESTS ?= tests/domain tests/ledger tests/venue tests/engine tests/strategies
CORE_ROOMS ?= domain ledger venue engine strategies
COVERAGE_FLOOR ?= 95
TEST_JOBS ?= 2
TEST_ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: run web test check bench fidelity lock notices format clean env env-dev

# Environment and dashboard are made side by side; without Node the desk runs without its page, and says so.
run:
	@PYTHON='$(PYTHON)' bash scripts/build_web.sh & page=$$!; $(MAKE) --no-print-directory env; wait $$page || true
	@exec $(BIN)/paperdesk $(RUN_COMMAND)

web:
	@PYTHON='$(PYTHON)' bash scripts/build_web.sh

# The journeys through the page need it built; where it cannot be, they are skipped and say so.
test: env-dev
	@PYTHON='$(PYTHON)' bash scripts/build_web.sh || true
	@VENV='$(VENV)' CORE_TESTS='$(CORE_TESTS)' CORE_ROOMS='$(CORE_ROOMS)' COVERAGE_FLOOR='$(COVERAGE_FLOOR)' \
	 TEST_JOBS='$(TEST_JOBS)' TEST_ARGS='$(TEST_ARGS)' bash scripts/run_tests.sh

# Every step runs, so that one look shows all there is to mend; any failure fails the target.
check: env-dev
	@status=0; \
	step() { echo "== $$1"; shift; "$$@" || status=1; }; \
	step 'lint' $(BIN)/ruff check .; \
	step 'format' $(BIN)/ruff format --check .; \
	step 'strict types' $(BIN)/mypy; \
	step 'room contracts' $(BIN)/lint-imports --no-cache --no-logo; \
	step 'the page: types and tests' bash scripts/check_web.sh; \
	step 'house rules and docs' $(BIN)/python -m pytest -q -p no:cacheprovider tests/test_tidy.py tests/test_docs.py; \
	exit $$status

bench: env-dev
	@if compgen -G 'benchmarks/bench_*.py' >/dev/null; then \
	  for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python "$$file"; done; \
	else echo 'make bench: there is no benchmarks/bench_*.py yet.' >&2; exit 1; fi

fidelity: env-dev
	@$(BIN)/python -m benchmarks.fidelity

format: env-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:
	@bash scripts/lock.sh

notices: env
	$(BIN)/python scripts/notices.py > THIRD_PARTY_NOTICES.md

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache

# The stamps carry the kind of environment; each is older than what it was made from only when work is due.
env: $(VENV)/.stamp-run
env-dev: $(VENV)/.stamp-dev

$(VENV)/.stamp-run: requirements.lock pyproject.toml scripts/make_env.sh
	@PYTHON='$(PYTHON)' bash scripts/make_env.sh '$(VENV)' requirements.lock
	@touch $@

$(VENV)/.stamp-dev: requirements-dev.lock pyproject.toml scripts/make_env.sh
	@PYTHON='$(PYTHON)' bash scripts/make_env.sh '$(VENV)' requirements-dev.lock
	@touch $(VENV)/.stamp-run $@
