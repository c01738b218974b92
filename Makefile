# The commands for developers and CI; CI has no list of its own.

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

# Installs the development tools unless they are installed already.
$(BIN)/lint-imports:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -e '.[dev]'

install:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -e '.[dev]'

test: | $(BIN)/lint-imports
	$(BIN)/pytest

# Kills, power cuts, full disks, flipped bytes: hundreds of faults, where `test` injects dozens.
faults: | $(BIN)/lint-imports
	$(BIN)/pytest tests/faults --faults=whole

# All readers of untrusted bytes under a coverage-guided fuzzer, each target for FUZZ_SECONDS.
fuzz: | $(BIN)/lint-imports
	$(BIN)/pip install --quiet -e '.[fuzz]'
	LIVEPORTAL_KEYRING=off $(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) --runs $(FUZZ_RUNS)

lint: | $(BIN)/lint-imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/make_reference.py --check
	$(BIN)/python docs/make_python.py --check
	$(BIN)/python docs/make_events.py --check
	$(BIN)/python docs/make_picture.py --check

format: | $(BIN)/lint-imports
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The wheel as a user gets it: installed into an empty environment and run outside the checkout,
# without an existing ledger.
smoke:
	rm -rf $(SMOKE)
	$(PYTHON) -m venv $(SMOKE)/venv
	$(SMOKE)/venv/bin/pip wheel --quiet --no-deps --wheel-dir $(SMOKE)/wheel .
	$(SMOKE)/venv/bin/pip install --quiet $(SMOKE)/wheel/*.whl
	mkdir $(SMOKE)/home
	cd $(SMOKE)/home && export HOME="$$PWD" && unset XDG_DATA_HOME LIVEPORTAL_LEDGER && \
		../venv/bin/liveportal --help && ../venv/bin/liveportal demo
	rm -rf $(SMOKE)

# Generate the reference from --help, the pages for Python and of events from the declarations, and
# the list of dependencies with their licences.
docs: | $(BIN)/lint-imports
	$(BIN)/python docs/make_reference.py
	$(BIN)/python docs/make_python.py
	$(BIN)/python docs/make_events.py
	$(BIN)/python docs/make_picture.py
	$(BIN)/python docs/make_licenses.py

# Tools that the project does not depend on, in an environment of their own.
$(TOOLS)/bin/uv:
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet 'pip-audit>=2.10,<3' 'uv>=0.13,<1'

# The quick tests with the lowest version of every dependency that pyproject.toml allows.
lowest: | $(TOOLS)/bin/uv
	rm -rf $(LOWEST)
	$(PYTHON) -m venv $(LOWEST)
	$(TOOLS)/bin/uv pip compile pyproject.toml --extra dev --resolution lowest-direct --quiet \
		--no-emit-index-url --no-emit-find-links --output-file $(LOWEST)/requirements.txt
	$(LOWEST)/bin/pip install --quiet --requirement $(LOWEST)/requirements.txt --editable .
	$(LOWEST)/bin/pytest $(QUICK)

# The quick tests with each newer Python that is installed; the others are listed.
pythons:
	@for python in $(PYTHONS); do \
		$$python -c '' 2>/dev/null || { echo "$$python does not run here."; continue; }; \
		echo "+ $$($$python --version)"; rm -rf build/python; \
		$$python -m venv build/python && \
		build/python/bin/pip install --quiet --editable '.[dev]' && \
		build/python/bin/pytest $(QUICK) || exit 1; \
	done

# Known vulnerabilities in the locked dependencies of the program and of its development.
# pip-audit exits alike if it finds one and if it cannot connect, so its output is checked here.
audit: | $(TOOLS)/bin/uv
	@$(TOOLS)/bin/pip-audit --strict --disable-pip --require-hashes --requirement $(LOCK) \
		2>&1 | tee build/audit.log; \
	grep -q '^No known vulnerabilities found' build/audit.log && exit 0; \
	grep -q '^Found [0-9]* known' build/audit.log && { echo "The audit found weaknesses." >&2; exit 1; }; \
	echo "The advisories could not be reached from here: nothing was audited." >&2; exit 2

# Lock the newest versions within the ranges of pyproject.toml, with the hashes of their files, for
# every system and Python. Install them by `pip install --require-hashes -r requirements-dev.lock`.
lock: | $(TOOLS)/bin/uv
	$(TOOLS)/bin/uv pip compile pyproject.toml --extra dev --extra keyring --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--custom-compile-command 'make lock' --upgrade --quiet --output-file $(LOCK)

# Compare the installed wheel with other programs; `make bench SIZES=10000,100000,1000000`.
bench: | $(BIN)/lint-imports
	$(BIN)/python -m benchmarks --write $(if $(SIZES),--sizes $(SIZES))
