# One set of commands for people and CI. `make setup` alone makes the environment in .venv.
PYTHON ?= python3
BIN := .venv/bin
STAGE ?= dev
SCENARIOS := $(wildcard sandbox/scenarios/*.yaml)

.PHONY: setup demo play test check format lint types bench deploy clean
.DEFAULT_GOAL := help

help:  ## Show the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 26

setup: .venv/.ready  ## Make the environment in .venv

.venv/.ready: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Unlatch needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Say which one: make setup PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

demo: setup  ## Play the flagship story to its end
	@$(BIN)/python -m sandbox play sandbox/scenarios/flagship.yaml

play: setup  ## Play every shipped scenario
	@$(BIN)/python -m sandbox play-all $(SCENARIOS)

test: setup  ## Run the tests
	$(BIN)/python -m pytest

check: setup lint types test  ## What CI runs: format, lint, types, tests

format: setup  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy app.py chalicelib sandbox ops tests

deploy: setup  ## Deploy to AWS: make deploy STAGE=prod
	$(BIN)/python -m ops deploy --stage $(STAGE)

clean:  ## Remove what the commands made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build
