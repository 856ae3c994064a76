# Needs Python 3.11 or later and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
HASHED := $(PIP) install --require-hashes
RUNTIME := $(addprefix requirements,.lock -torch.lock -cuda.lock -model.lock)
RUN_READY := .venv/.run-ready
DEV_READY := .venv/.dev-ready
# How many tests run at once: one a core, where each has 2 GB of memory.
WORKERS ?= 2
SIDE_BY_SIDE := -n $(WORKERS) --dist worksteal

.PHONY: demo test test-faults quick check format docs docs-links bench lock clean

demo: $(RUN_READY)
	@$(BIN)/python jobs/run.py run_dir=runs/sample

test: $(DEV_READY)
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE)

# Every fault of tests/faults, at all moments: an hour or so. Of these `make test` tries a few, drawn
# by ATTNRAY_FAULTS=SEED.
test-faults: $(DEV_READY)
	@ATTNRAY_FAULTS=all $(BIN)/python -m pytest $(SIDE_BY_SIDE) tests/faults

quick: $(DEV_READY)
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not slow and not shared"

check: $(DEV_READY)
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy

format: $(DEV_READY)
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

# The site, in docs/_build/html; a link or reference that leads nowhere fails.
docs: $(DEV_READY)
	@$(BIN)/python -m sphinx -qnW --keep-going -b html docs docs/_build/html
	@echo docs/_build/html/index.html

# Asks the network for every link to elsewhere.
docs-links: $(DEV_READY)
	@$(BIN)/python -m sphinx -qn --keep-going -b linkcheck docs docs/_build/links

bench: $(RUN_READY)
	@$(BIN)/python scripts/bench.py

# Raises no version that pyproject.toml still allows; scripts/lock.py --upgrade does.
lock: $(DEV_READY)
	@$(BIN)/python scripts/lock.py

clean:
	rm -rf .venv runs docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Of PyTorch's builds pip takes the one it is configured for, a CPU build perhaps; with hashes in
# view it would take PyPI's instead. So it chooses first, and the hash of its choice is checked then.
# The model's package names dependencies that are not wanted: its files are enough.
$(RUN_READY): $(RUNTIME) pyproject.toml
	@echo "installing the locked packages into .venv (some minutes, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(HASHED) -r requirements.lock
	@rm -rf .venv/torch
	@$(PIP) download --no-deps --dest .venv/torch $$(grep -o '^torch==[^ ]*' requirements-torch.lock)
	@$(HASHED) --no-deps --no-index --find-links .venv/torch -r requirements-torch.lock
	@rm -r .venv/torch
	@! grep -q '^Requires-Dist: nvidia' .venv/lib/python*/site-packages/torch-*.dist-info/METADATA || $(HASHED) -r requirements-cuda.lock
	@$(HASHED) --no-deps -r requirements-model.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_READY): $(RUN_READY) requirements-dev.lock
	@$(HASHED) -r requirements-dev.lock
	@touch $@
