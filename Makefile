# `make` shows what there is. Needs Python 3.11 or newer, and the package registries.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PYTHONS := 3.11 3.12 3.13 3.14

.PHONY: help run install test test-all e2e check bench soak fuzz clean

help:
	@echo "make run       install and start the daemon (the demo provider if nothing is configured)"
	@echo "make test      install and run all tests (the real Claude Code too, where npm is there)"
	@echo "make test-all  the same with every Python from $(firstword $(PYTHONS)) on that is found"
	@echo "make e2e       only the tests with the real Claude Code and the anthropic SDK"
	@echo "make check     ruff, mypy, import contracts, tests with coverage"
	@echo "make bench     figures beside those of a raw byte pass-through"
	@echo "make soak      500 streams for a minute, 5 % of them spoilt: what is illegal, what is left over"
	@echo "make fuzz      a million random inputs: what fails, with the words that find it again"
	@echo "make clean     remove what the others made"

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fcc needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group test
	touch $@

$(VENV)/installed-check: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --group check
	touch $@

install: $(VENV)/installed

run: install
	$(BIN)/fcc serve

test: $(VENV)/installed-test
	$(BIN)/python -m pytest

test-all:
	@for version in $(PYTHONS); do \
		if python$$version -c '' 2>/dev/null; then \
			$(MAKE) test PYTHON=python$$version VENV=.venv-$$version || exit 1; \
		else echo "python$$version: not found, skipped"; fi; done

e2e: $(VENV)/installed-test
	$(BIN)/python -m pytest tests/e2e -m e2e

check: $(VENV)/installed-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --cov --cov-report=term --cov-fail-under=95

bench: $(VENV)/installed-test
	$(BIN)/python -m tests.bench

soak: $(VENV)/installed-test
	$(BIN)/python -m tests.soak

fuzz: $(VENV)/installed-test
	$(BIN)/python -m tests.fuzz

clean:
	rm -rf .venv .venv-* .e2e dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .import_linter_cache
