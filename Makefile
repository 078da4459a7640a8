# The developer interface. `make run` and `make test` set up what they need in .venv, with Python and pip alone.
#
#   make run PYTHON=python3.12     another interpreter, 3.11 to 3.14

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check
# The files name everything, so pip resolves nothing: one that did would want the newest release of `coverage[toml]`,
# of which only `coverage` had a pin. `pip check` sees that the files do name everything.
# pip would compile eleven thousand modules for 30 s of CPU; Python compiles those that are used when it imports them.
INSTALL = $(PIP) install --quiet --no-deps --no-compile --require-hashes

.DEFAULT_GOAL := help
.NOTPARALLEL:
# Without compiled modules each of the processes that tests start would compile the package again, for two seconds.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE
.PHONY: help run install dev test lint types unit nightly format docs docs-check docs-links pictures release-check \
	reliability lock hooks clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 16

run: install  ## solve the instance of China in 2025, with everything set up before
	$(BIN)/etsopt solve cn-2025 --out runs/cn-2025

install: $(VENV)/.installed  ## set up what the package needs

dev: $(VENV)/.developed  ## set up what developing needs as well

# Types are checked beside the tests, which leave a core free now and then.
test: lint  ## what must be green after every change, the fast first; under 8 minutes on two cores
	@$(BIN)/mypy > $(VENV)/types.txt 2>&1 & checked=$$!; \
	$(MAKE) --no-print-directory unit; passed=$$?; \
	wait $$checked; right=$$?; cat $(VENV)/types.txt; exit $$((passed || right))

lint: dev  ## ruff and the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: dev  ## mypy
	$(BIN)/mypy

# A file of tests stays in one process, which solves what they share once.
unit: dev $(VENV)/.compiled  ## the everyday tests
	$(BIN)/pytest --numprocesses=auto --dist=loadfile -m "not nightly"

nightly: dev $(VENV)/.documented $(VENV)/.released  ## all tests, coverage, documentation, wheel; writes benchmarks/nightly.md
	$(BIN)/python -m benchmarks.nightly

format: dev  ## let ruff repair and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: dev  ## write models/README.md, instances/README.md, completion scripts, catalogue and schema anew
	$(BIN)/python models/build_readme.py
	$(BIN)/python instances/build_readme.py
	$(BIN)/python -m etsopt.cli.completions.build
	$(BIN)/python -m docs.tools.catalogue
	$(BIN)/python -m etsopt.running.results.build_schema

docs-check: $(VENV)/.documented  ## build the documentation site into docs/_build, check its links, run its examples
	$(BIN)/python -m docs.tools.build
	$(BIN)/python -m docs.tools.examples
	$(BIN)/python -m docs.tools.pictures --check

docs-links: $(VENV)/.documented  ## check the links of the site to other hosts, with a network
	$(BIN)/python -m docs.tools.build --links

pictures: $(VENV)/.documented  ## draw the charts of the documentation site anew
	$(BIN)/python -m docs.tools.pictures

release-check: $(VENV)/.released  ## build wheel and sdist into dist, check and try them, and list their components (SBOM)
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist
	$(BIN)/python -m twine check --strict dist/*.whl dist/*.tar.gz
	$(PYTHON) -m venv --clear $(VENV)/wheel
	$(VENV)/wheel/bin/python -m pip install --quiet --no-deps --require-hashes --requirement requirements.txt
	$(VENV)/wheel/bin/python -m pip install --quiet --no-deps dist/*.whl
	cd $(VENV)/wheel && bin/etsopt solve tiny --out tiny && bin/etsopt check tiny
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --mc-type library --output-reproducible \
		--output-file dist/etsopt.cdx.json $(VENV)/wheel/bin/python

reliability: dev  ## all trials of the reliability matrix, two hours; writes benchmarks/reliability.md
	$(BIN)/python -m benchmarks.reliability

hooks: dev  ## let git run the checks before each commit
	$(BIN)/pre-commit install

# For maintainers, with uv and their own settings of it. What is written holds hashes and no address.
COMPILE = uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--custom-compile-command "make lock"

lock:  ## resolve the dependencies anew and write the requirements files with their hashes
	$(COMPILE) --group build --extra excel --extra plot --extra report --output-file requirements.txt pyproject.toml
	$(COMPILE) --group dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(COMPILE) --group docs --constraint requirements-dev.txt --output-file requirements-docs.txt pyproject.toml
	$(COMPILE) --group release --constraint requirements-docs.txt --output-file requirements-release.txt pyproject.toml

clean:  ## remove the environment, caches and runs
	rm -rf $(VENV) .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .cache dist docs/_build htmlcov \
		runs

# One virtual environment; a stamp in it says which requirements it holds.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || \
		{ echo "etsopt needs Python 3.11 to 3.14; name one: make run PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.installed: requirements.txt pyproject.toml | $(BIN)/python
	$(INSTALL) --requirement requirements.txt
	$(PIP) install --quiet --no-build-isolation --no-deps --editable .
	$(PIP) check
	@touch $@

$(VENV)/.developed: requirements-dev.txt $(VENV)/.installed
	$(INSTALL) --requirement requirements-dev.txt
	$(PIP) check
	@touch $@

# Each process of the tests would compile all of them; they are collected once before, while mypy uses the other core.
$(VENV)/.compiled: $(VENV)/.developed
	@$(BIN)/pytest --quiet --collect-only > /dev/null || true
	@touch $@

$(VENV)/.documented: requirements-docs.txt $(VENV)/.installed
	$(INSTALL) --requirement requirements-docs.txt
	$(PIP) check
	@touch $@

$(VENV)/.released: requirements-release.txt $(VENV)/.installed
	$(INSTALL) --requirement requirements-release.txt
	$(PIP) check
	@touch $@
