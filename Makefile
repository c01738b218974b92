# What a developer and CI run; CI has no list of its own.

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
SMOKE := build/smoke
TOOLS := build/tools
LOCK := requirements-dev.lock
LOWEST := build/lowest
PYTHONS ?= python3.12 python3.13 python3.14
QUICK := tests/cli tests/domain tests/feeds tests/golden tests/samples -m 'not slow'
FUZZ_SECONDS ?= 60
FUZZ_RUNS ?= 1000000

.PHONY: default install test faults fuzz lint format smoke docs bench lowest pythons audit lock

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

# What reads bytes from outside, under a coverage-guided fuzzer: each target for so many seconds.
fuzz: | $(BIN)/lint-imports
	$(BIN)/pip install --quiet -e '.[fuzz]'
	LIVEPORTAL_KEYRING=off $(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) --runs $(FUZZ_RUNS)

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

# The reference, made from every command's --help, and the dependencies with their licences.
docs: | $(BIN)/lint-imports
	$(BIN)/python docs/make_reference.py
	$(BIN)/python docs/make_licenses.py

# Tools that are not of the project, in an environment of their own.
$(TOOLS)/bin/uv:
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet 'pip-audit>=2.10,<3' 'uv>=0.13,<1'

# The quick tests with the lowest versions that pyproject.toml allows, all of them together.
lowest: | $(TOOLS)/bin/uv
	rm -rf $(LOWEST)
	$(PYTHON) -m venv $(LOWEST)
	$(TOOLS)/bin/uv pip compile pyproject.toml --extra dev --resolution lowest-direct --quiet \
		--no-emit-index-url --no-emit-find-links --output-file $(LOWEST)/requirements.txt
	$(LOWEST)/bin/pip install --quiet --requirement $(LOWEST)/requirements.txt --editable .
	$(LOWEST)/bin/pytest $(QUICK)

# The quick tests with each newer Python that runs here; those that do not are named.
pythons:
	@for python in $(PYTHONS); do \
		$$python -c '' 2>/dev/null || { echo "$$python does not run here."; continue; }; \
		echo "+ $$($$python --version)"; rm -rf build/python; \
		$$python -m venv build/python && \
		build/python/bin/pip install --quiet --editable '.[dev]' && \
		build/python/bin/pytest $(QUICK) || exit 1; \
	done

# Known weaknesses of what is installed for the program and for its development, as locked.
# pip-audit answers alike whether it found one or could not ask: the difference is said here.
audit: | $(TOOLS)/bin/uv
	@$(TOOLS)/bin/pip-audit --strict --disable-pip --require-hashes --requirement $(LOCK) \
		2>&1 | tee build/audit.log; \
	grep -q '^No known vulnerabilities found' build/audit.log && exit 0; \
	grep -q '^Found [0-9]* known' build/audit.log && { echo "The audit found weaknesses." >&2; exit 1; }; \
	echo "The advisories could not be reached from here: nothing was audited." >&2; exit 2

# The newest versions within the ranges of pyproject.toml, with the hashes of their files, for every
# system and version of Python. `pip install --require-hashes -r requirements-dev.lock` takes them.
lock: | $(TOOLS)/bin/uv
	$(TOOLS)/bin/uv pip compile pyproject.toml --extra dev --extra keyring --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--custom-compile-command 'make lock' --upgrade --quiet --output-file $(LOCK)

# The installed wheel beside other programs, in turn; `make bench SIZES=10000,100000,1000000`.
bench: | $(BIN)/lint-imports
	$(BIN)/python -m benchmarks --write $(if $(SIZES),--sizes $(SIZES))
