# What a developer and CI run; CI has no list of its own.

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
SMOKE := build/smoke

.PHONY: default install test faults lint format smoke docs bench

default: lint test

# The tools are there after `install`; whoever has them already waits for nothing.
$(BIN)/lint-imports:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -e '.[dev]'

install:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -e '.[dev]'

test: | $(BIN)/lint-imports
	$(BIN)/pytest

# Kills, power cuts, full disks, flipped bytes: hundreds where `test` injects dozens.
faults: | $(BIN)/lint-imports
	$(BIN)/pytest tests/faults --faults=whole

lint: | $(BIN)/lint-imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/make_reference.py --check

format: | $(BIN)/lint-imports
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The wheel as a user gets it: into an empty environment, run from a folder that is not the checkout,
# by somebody who has no ledger yet.
smoke:
	rm -rf $(SMOKE)
	$(PYTHON) -m venv $(SMOKE)/venv
	$(SMOKE)/venv/bin/pip wheel --quiet --no-deps --wheel-dir $(SMOKE)/wheel .
	$(SMOKE)/venv/bin/pip install --quiet $(SMOKE)/wheel/*.whl
	mkdir $(SMOKE)/home
	cd $(SMOKE)/home && export HOME="$$PWD" && unset XDG_DATA_HOME LIVEPORTAL_LEDGER && \
		../venv/bin/liveportal --help && ../venv/bin/liveportal demo
	rm -rf $(SMOKE)

# The reference, made from every command's --help.
docs: | $(BIN)/lint-imports
	$(BIN)/python docs/make_reference.py

# The installed wheel beside other programs, in turn; `make bench SIZES=10000,100000,1000000`.
bench: | $(BIN)/lint-imports
	$(BIN)/python -m benchmarks --write $(if $(SIZES),--sizes $(SIZES))
