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

.PHONY: help demo smoke test lint format check messages docs screenshots page-times bench bench-notice bench-tasks bench-workers chaos chaos-workers mutants clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

demo: $(VENV)/demo.ready ## Bake the default project and run it: two web workers, one scheduler
	@$(BIN)/python -m demo

smoke: $(VENV)/demo.ready ## The same unattended: kill the scheduler and workers, check every run
	@$(BIN)/python -m demo.smoke

test: $(VENV)/test.ready ## Run the tests (ARGS="-m 'not slow'" for the quick ones)
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/test.ready ## Check style, format, types and imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python -m mypy
	@cd '{{cookiecutter.project_slug}}' && $(CURDIR)/$(BIN)/lint-imports --no-logo --no-cache

format: $(VENV)/test.ready ## Fix style and format where that can be done automatically
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

check: lint ## Check before a push: lint, then the quick tests
	@$(MAKE) test ARGS="-m 'not slow'"

messages: $(VENV)/test.ready ## Bring the catalogues up to date with the code, and compile them (needs gettext)
	@for app in scheduler home; do \
	  cd '$(CURDIR)/{{cookiecutter.project_slug}}'/$$app; \
	  export PYTHONPATH='$(CURDIR)' DJANGO_SETTINGS_MODULE=tests.settings; \
	  $(CURDIR)/$(BIN)/python -m django makemessages --all --no-wrap --add-location=file --no-obsolete; \
	  sed -i '/^"POT-Creation-Date/d' locale/*/LC_MESSAGES/django.po; \
	  $(CURDIR)/$(BIN)/python -m django compilemessages; \
	done

docs: $(VENV)/docs.ready ## Build the documents as a site (docs/_build/html), and find dead links
	@$(BIN)/python -m docs.build

screenshots: $(VENV)/test.ready ## Take the pictures in docs/screenshots (needs Chromium)
	@$(BIN)/python -m tests.browser.studio $(ARGS)

bench: bench/.venv/ready ## Measure against django-apscheduler and the SQLAlchemy job store (15 min; ARGS="SECTION ...")
	@bench/.venv/bin/python -m bench $(ARGS)

page-times: $(VENV)/test.ready ## Measure the admin's pages at 1,000,000 executions, and write docs/admin.md
	@$(BIN)/python -m tests.admin.page_times $(ARGS)

bench-notice: bench/.venv/ready ## Measure how soon a running scheduler acts on a change
	@bench/.venv/bin/python -m bench.notice $(ARGS)

bench-tasks: bench/tasks/.venv/ready ## Measure tasks against django-ox and django-tasks-db, on Python 3.12 and PostgreSQL
	@bench/tasks/.venv/bin/python -m bench.tasks $(ARGS)

bench/tasks/.venv/ready: bench/tasks/requirements.txt
	@echo "Making the environment in bench/tasks/.venv"
	@python=$$($(PYTHON) -c 'from tests.interpreters import interpreter; print(interpreter("3.12", "3.13", "3.14") or "")') && \
	  test -n "$$python" || { echo "Python 3.12 or newer is needed: django-ox asks for it"; exit 1; }; \
	  "$$python" -m venv bench/tasks/.venv
	@bench/tasks/.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

bench-workers: bench/.venv/ready ## Measure no-op executions on 1, 2 and 4 workers (PostgreSQL and redis-server)
	@bench/.venv/bin/python -m bench.workers $(ARGS)

bench/.venv/ready: bench/requirements.txt
	@echo "Making the environment in bench/.venv"
	@$(PYTHON) -m venv bench/.venv
	@bench/.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@bench/.venv/bin/python -m pip install --quiet --disable-pip-version-check 'mysqlclient>=2.2' \
	  >bench/.venv/mysqlclient.log 2>&1 || echo "MariaDB is left out: mysqlclient cannot be built" \
	  "(bench/.venv/mysqlclient.log). On Debian: apt-get install libmariadb-dev pkg-config gcc," \
	  "then make clean bench"
	@touch $@

chaos: $(VENV)/test.ready ## Kill, freeze and cut schedulers, and account for every run
	@$(BIN)/python -m tests.proof.chaos --report $(ARGS)

chaos-workers: $(VENV)/test.ready ## The same for workers on Celery and django-tasks-db, and for their brokers
	@$(BIN)/python -m tests.proof.workers --report $(ARGS)

mutants: $(VENV)/test.ready ## Break one line of the engine at a time: each must turn a test red
	@$(BIN)/python -m tests.proof.mutants $(ARGS)

clean: ## Remove all that these targets made
	rm -rf $(VENV) bench/.venv bench/tasks/.venv bench/.work docs/_build .demo .lanes .mypy_cache .pytest_cache .ruff_cache .hypothesis .rig*

$(VENV)/%.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: PYTHON=python3.12 make ...")'
	@printf 'Making the environment in $(VENV) (packages: $*) '
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install "pip>=25.1" | $(DOTS)
	@$(BIN)/python -m pip install --group $* | $(DOTS)
	@echo && touch $@
