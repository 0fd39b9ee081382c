# Every target sets up what it needs: the first one on a fresh machine builds .venv and installs skspec into it.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
STAMP  := $(VENV)/.installed
PYTEST := -m pytest -n auto --dist worksteal

.PHONY: demo test test-oldest lint docs bench clean help
.DEFAULT_GOAL := help

help:
	@echo "make demo         set up, then train and cross-validate a classifier on simulated spectra"
	@echo "make test         set up, then run the tests"
	@echo "make test-oldest  the tests with the oldest supported versions, in .venv-oldest"
	@echo "make lint         ruff and mypy"
	@echo "make docs         build the documentation into docs/_build/html"
	@echo "make bench        print the tables of reading and resampling"
	@echo "make clean        remove .venv and everything built"

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	@echo "==> Setting up in $(VENV), once: 1/3 the environment"
	$(PYTHON) -m venv $(VENV)
	@echo "==> 2/3 PyTorch"
	$(PIP) install -c constraints.txt torch
	@echo "==> 3/3 skspec and its tools"
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(STAMP)
	@$(BIN)/skspec demo

test: $(STAMP)
	@echo "==> Running the tests (real spectra are read from SKSPEC_DATA, default ../shared/data; absent ones are skipped)"
	@$(BIN)/python $(PYTEST)
	@echo
	@echo "All passed. Next: 'make demo', 'make bench', or open docs/index.md."

test-oldest: constraints-oldest.txt
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet -c constraints-oldest.txt -e '.[test]'
	.venv-oldest/bin/python $(PYTEST)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(STAMP)
	SKSPEC_DATA="$${SKSPEC_DATA:-$(CURDIR)/../shared/data}" $(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

bench: $(STAMP)
	$(BIN)/python -m benchmarks.resample
	$(BIN)/python -m benchmarks.read

clean:
	rm -rf $(VENV) .venv-oldest build dist *.egg-info docs/_build docs/auto_examples docs/api/generated
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
