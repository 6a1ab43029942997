# Everything runs from a virtual environment that this file makes; nothing is installed elsewhere.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# Under LC_ALL=C, Python before 3.13 cannot start from a folder with a name that is not ASCII.
ifneq ($(filter C POSIX,$(LC_ALL)),)
export LC_ALL := C.UTF-8
endif

NATIVE := $(VENV)/.native

# What only computes runs beside what starts servers; what builds the package does not, for others run from here.
BUILDS := tests/unit/test_packaging.py
QUICK  := tests/unit tests/fuzz --ignore=$(BUILDS)
SLOW   := $(filter-out tests/unit tests/fuzz tests/__% tests/%.py,$(wildcard tests/*)) $(BUILDS)

.PHONY: help demo test lint types unit e2e bench classes transparency soak native completions clean

help:            ## this list
	@grep -hE '^[a-z0-9]+: .*##|^[a-z0-9]+: *##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "dbgate needs Python 3.11 or newer (found: $$($(PYTHON) --version)); set PYTHON=" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed: install your system's venv package" >&2; exit 1; }
	@echo "installing dbgate and what it needs into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' --group test --group lint
	@touch $@

# Old modules would be used in place of what is written: whatever runs the code builds it first.
$(NATIVE): $(STAMP) hatch_build.py $(wildcard broker/dbgate_core/native/*.p[yx]*)
	@$(BIN)/python hatch_build.py
	@touch $@

native: $(NATIVE)   ## the compiled module, in place; without a C compiler everything works, slower

demo: $(NATIVE)   ## the whole story on real parts, checked, in a temporary home
	@$(BIN)/python tests/demo/story.py

test: $(NATIVE)   ## lint, types and every test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@log=$$(mktemp); trap 'kill $$quick' INT TERM; \
	{ nice $(BIN)/mypy && nice $(BIN)/python -m pytest $(QUICK); } >$$log 2>&1 & quick=$$!; \
	$(BIN)/python -m pytest $(SLOW); rest=$$?; \
	wait $$quick; quick=$$?; cat $$log; rm -f $$log; exit $$((rest | quick))

lint: $(STAMP)   ## ruff and mypy alone
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

unit: $(NATIVE)   ## the fast tests
	@$(BIN)/python -m pytest -q tests/unit tests/fuzz

e2e: $(NATIVE)    ## real servers, real clients
	@$(BIN)/python -m pytest -q tests/e2e

bench: $(NATIVE)  ## every goal for speed, beside direct PostgreSQL, pgbouncer and haproxy
	@$(BIN)/python -m tests.bench

classes: $(STAMP)  ## how well columns are classed, on labelled schemas: precision, recall, every mistake
	@$(BIN)/python -m tests.bench.classes

soak: $(NATIVE)   ## ten minutes of pgbench with clients killed at random, then a broker killed in mid-load
	@$(BIN)/python -m tests.soak

completions: $(STAMP)  ## write completions/ anew from the program
	@$(BIN)/python -m dbgate_cli.completion completions

clean:           ## remove what make made
	rm -rf broker/dbgate_core/native/*.so
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
