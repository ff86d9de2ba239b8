PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
export PYTHONPATH := plugins:.

.DEFAULT_GOAL := help
.PHONY: help demo up test lint format bench faults pins check-settings preview

help: ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

demo: $(VENV)/.installed ## Today's five runs on a fictional library, with a real Airflow; prints what was sent
	@$(BIN)/python -m tests.e2e.demo

up: $(VENV)/.installed ## The same Airflow left running, with its web pages; Ctrl-C stops it
	@$(BIN)/python -m tests.e2e.demo --stay

test: lint ## Lint, types, walls and every test
	$(BIN)/python -m pytest

lint: $(VENV)/.installed ## Style, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed ## Put the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed ## Speed and memory, as ratios against baselines measured in the same run; writes var/bench.json
	$(BIN)/python -m tests.bench

faults: $(VENV)/.installed ## kill -9 and other faults at every step of every sender, 20 times each (var/faults.json); twenty months
	$(BIN)/python -m tests.faults
	MONTH_LIBRARIES=20 $(BIN)/python -m pytest -q tests/orchestration/test_a_month.py

pins: $(VENV)/.installed ## Pin requirements.txt anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --no-emit-index-url --no-header \
	  --no-annotate --quiet --upgrade --output-file requirements.txt
	sed -i '1i # Every package, direct and transitive, as tested. Made from pyproject.toml by `make pins`; do not edit.' requirements.txt

check-settings: $(VENV)/.installed ## Check library.toml (or the file named by REMINDERS_CONFIG) and the templates
	@$(BIN)/python -m loan_reminders.check_settings

preview: $(VENV)/.installed ## Every message in every language, as files and images to look at; writes var/previews/
	@$(BIN)/python -m loan_reminders.previews
