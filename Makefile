# The developer interface. `make run` and `make test` set up what they need in .venv, with Python and pip alone.
#
#   make run PYTHON=python3.12     another interpreter, 3.11 to 3.14

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.NOTPARALLEL:
unexport PYTHONPATH PYTHONHOME
.PHONY: help run install dev test lint types unit format docs lock hooks clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 12

run: install  ## solve the instance of China in 2025, with everything set up before
	$(BIN)/etsopt solve cn-2025 --out runs/cn-2025

install: $(VENV)/.installed  ## set up what the package needs

dev: $(VENV)/.developed  ## set up what developing needs as well

test: lint types unit  ## everything that must be green, the fast first

lint: dev  ## ruff and the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: dev  ## mypy
	$(BIN)/mypy

unit: dev  ## pytest with coverage
	$(BIN)/pytest --numprocesses=auto --cov --cov-report=term

format: dev  ## let ruff repair and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: dev  ## write models/README.md and instances/README.md anew from the code
	$(BIN)/python models/build_readme.py
	$(BIN)/python instances/build_readme.py

hooks: dev  ## let git run the checks before each commit
	$(BIN)/pre-commit install

# For maintainers, with uv. No mirror or local folder of the machine gets into what is committed.
UV = env -u UV_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS UV_NO_CONFIG=1 \
	UV_DEFAULT_INDEX=https://pypi.org/simple uv
EXPORT = $(UV) export --quiet --locked --no-emit-project --format requirements-txt

lock:  ## resolve the dependencies anew and write the requirements with their hashes
	$(UV) lock --upgrade
	$(MAKE) requirements

.PHONY: requirements
requirements:
	$(UV) lock
	$(EXPORT) --no-dev --group build --output-file requirements.txt
	$(EXPORT) --group dev --output-file requirements-dev.txt

clean:  ## remove the environment, caches and runs
	rm -rf $(VENV) .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist htmlcov runs

# One virtual environment; a stamp in it says which requirements it holds.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || \
		{ echo "etsopt needs Python 3.11 to 3.14; name one: make run PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.installed: requirements.txt pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes --requirement requirements.txt
	$(PIP) install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.developed: requirements-dev.txt $(VENV)/.installed
	$(PIP) install --quiet --require-hashes --requirement requirements-dev.txt
	@touch $@
