# Each target makes the environment that it needs in .venv. PYTHON=python3.13 make test chooses another.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
DOTS := while read -r line; do printf .; done
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export RUFF_CACHE_DIR := $(CURDIR)/.ruff_cache

.PHONY: help demo smoke test lint screenshots bench bench-notice chaos mutants clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

demo: $(VENV)/demo.ready ## Bake the default project and run it: two web workers, one scheduler
	@$(BIN)/python -m demo

smoke: $(VENV)/demo.ready ## The same unattended: kill the scheduler, add a second, check every run
	@$(BIN)/python -m demo.smoke

test: $(VENV)/test.ready ## Run the tests (ARGS="-m 'not slow'" for the quick ones)
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/test.ready ## Check style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python -m mypy

screenshots: $(VENV)/test.ready ## Take the pictures in docs/screenshots (needs Chromium)
	@$(BIN)/python -m tests.browser.screenshots $(ARGS)

bench: bench/.venv/ready ## Measure against django-apscheduler and the SQLAlchemy job store
	@bench/.venv/bin/python -m bench $(ARGS)

bench-notice: bench/.venv/ready ## Measure how soon a running scheduler acts on a change
	@bench/.venv/bin/python -m bench.notice $(ARGS)

bench/.venv/ready: bench/requirements.txt
	@echo "Making the environment in bench/.venv"
	@$(PYTHON) -m venv bench/.venv
	@bench/.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

chaos: $(VENV)/test.ready ## Kill, freeze and cut schedulers, and account for every run
	@$(BIN)/python -m tests.chaos --report $(ARGS)

mutants: $(VENV)/test.ready ## Break one line of the engine at a time: each must turn a test red
	@$(BIN)/python -m tests.mutants $(ARGS)

clean: ## Remove all that these targets made
	rm -rf $(VENV) bench/.venv bench/.work .demo .lanes .mypy_cache .pytest_cache .ruff_cache .hypothesis .rig*

$(VENV)/%.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: PYTHON=python3.12 make ...")'
	@printf 'Making the environment in $(VENV) (packages: $*) '
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install "pip>=25.1" | $(DOTS)
	@$(BIN)/python -m pip install --group $* | $(DOTS)
	@echo && touch $@
