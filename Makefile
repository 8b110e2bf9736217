# One verb a command; each sets up what it needs (Python 3.11 or newer is all it asks for).
#   make run                        boot pxOS: a window, or the terminal where there is no display
#   make run ARGS="--frames 120 --screenshot boot.png"
#   make test | test-train | test-slow | check | bench | golden | fuzz | docs | apps

PYTHON ?= python3
VENV   ?= .venv
PY     := $(VENV)/bin/python
ARGS   ?=
# make run --frames 120 reads as options of make, so options go into ARGS.

.PHONY: run shell test test-train test-slow check format bench golden fuzz docs apps clean

run: $(VENV)/.run
	@$(PY) -m pxos boot $(ARGS)

shell: $(VENV)/.run
	@$(PY) -m pxos shell $(ARGS)

test: $(VENV)/.dev
	$(PY) -m pytest -n auto $(ARGS)

test-train: $(VENV)/.train
	$(PY) -m pytest tests/shell/lenses/networks/training tests/boot/test_train.py $(ARGS)

test-slow: $(VENV)/.dev
	$(PY) -m pytest -n auto -m "slow or not slow" $(ARGS)

fuzz: $(VENV)/.dev
	$(PY) -m pytest -n auto -m "slow or not slow" tests/fuzz tests/conformance $(ARGS)

check: $(VENV)/.dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(PY) docs/generate.py --check
	$(PY) -m pxos apps check

format: $(VENV)/.dev
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

bench: $(VENV)/.dev
	$(PY) -m tests.bench $(ARGS)

golden: $(VENV)/.dev
	$(PY) -m pytest tests/apps -q --update-golden $(ARGS)

docs: $(VENV)/.dev
	$(PY) docs/generate.py

apps: $(VENV)/.run
	$(PY) -m pxos apps build

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "pxOS needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	    { rm -rf $(VENV); echo "no venv module: on Debian run 'apt install python3-venv'" >&2; exit 1; }

$(VENV)/.run: $(VENV)/bin/python pyproject.toml
	@echo "setting up pxOS in $(VENV) ..." >&2
	@$(PY) -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml
	@echo "setting up the development tools in $(VENV) ..." >&2
	@$(PY) -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.run

$(VENV)/.train: $(VENV)/.dev
	@echo "setting up PyTorch and scikit-learn in $(VENV) ..." >&2
	@$(PY) -m pip install -q --disable-pip-version-check -e '.[dev,train]'
	@touch $@ $(VENV)/.run $(VENV)/.dev
