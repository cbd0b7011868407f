# One set of commands for people and CI. `make setup` alone makes the environment in .venv.
PYTHON ?= python3
BIN := .venv/bin
STAGE ?= dev
STORY ?= sandbox/scenarios/flagship.yaml

.PHONY: help setup demo play pictures permissions test test-all check coverage format lint types docs dead mutants bench fuzz reliability crash-matrix deploy clean
.DEFAULT_GOAL := help

help:  ## Show the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 26

setup: .venv/.ready  ## Make the environment in .venv

.venv/.ready: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Unlatch needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Say which one: make setup PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

demo: setup  ## Serve the demo page and print its address
	@$(BIN)/python -m sandbox demo

play: setup  ## Play a story in the terminal: make play STORY=sandbox/scenarios/flagship.yaml
	@$(BIN)/python -m sandbox play $(STORY)

pictures: setup  ## Take the pictures of the README again (needs Chromium)
	$(BIN)/python -m sandbox pictures

permissions: setup  ## Play every story, and write docs/permissions.md
	$(BIN)/python -m sandbox permissions

test: setup  ## Run the tests
	$(BIN)/python -m pytest -n 2

test-all: setup  ## Run the slow tests: every shipped story, whole deployments, the browser
	$(BIN)/python -m pytest -n 2 -m "slow or browser" --ignore=tests/ops
	$(BIN)/python -m pytest -n 2 -m slow --dist=loadfile tests/ops  # each file is one long story

check: setup lint types dead coverage  ## What CI runs: format, lint, types, dead code, tests with coverage

coverage: setup  ## The tests, and how much of the code they reach
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term-missing:skip-covered --cov-fail-under=95
	$(BIN)/python -m coverage report --include="chalicelib/domain/*" --skip-covered --fail-under=100

format: setup  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy app.py chalicelib sandbox ops scripts bench

docs: setup  ## Write the parts of the documents that come from the code
	$(BIN)/python -m scripts.write_docs

dead: setup  ## Look for code that nothing uses
	$(BIN)/vulture

mutants: setup  ## Change the domain one small thing at a time: do the tests notice? (hours)
	$(BIN)/python -m mutmut run --max-children 2
	$(BIN)/python -m mutmut results

bench: setup  ## Measure, and write docs/performance.md
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	$(BIN)/python -m bench

fuzz: setup  ## Feed 20,000 odd events, requests and stored items
	$(BIN)/python -m sandbox fuzz

reliability: setup  ## Play all crashes and 500 random interleavings of the flows, and write docs/reliability.md
	HYPOTHESIS_PROFILE=ci RELIABILITY_PAGE=docs/reliability.md $(BIN)/python -m pytest tests/reliability

crash-matrix: setup  ## Break every call in every way, and write docs/reliability.md
	$(BIN)/python -m sandbox crash-matrix

deploy: setup  ## Deploy to AWS: make deploy STAGE=prod
	$(BIN)/python -m ops deploy --stage $(STAGE)

clean:  ## Remove what the commands made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build mutants
