# One set of commands for people and CI. Each makes what it needs of the environment in .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
ABOUT_ops := a quarter of a minute, 100 MB
ABOUT_demo := half a minute, 190 MB
ABOUT_dev := a minute or two, 690 MB
STAGE ?= dev
STORY ?= sandbox/scenarios/flagship.yaml

.PHONY: help domain-covered setup demo play pictures permissions test test-all test-slow test-ops check ci coverage format lint layers types docs lock dead mutants mutants-sample bench fuzz reliability crash-matrix read-matrix tamper-matrix deploy clean
.DEFAULT_GOAL := help

help:  ## Show the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 26

setup: .venv/.ops  ## Install the command `unlatch` in .venv
	@echo "Ready: $(BIN)/unlatch --help"

# Three sizes of one environment, each in the next: the operator's command, the demo, everything.
.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit("Unlatch needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Say which one: make setup PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.ops .venv/.demo .venv/.dev: .venv/.%: .venv/.python pyproject.toml
	@echo "Installing what “$*” needs into .venv (once; $(ABOUT_$*))"
	@$(PIP) install -e '.[$*]'
	@touch $@

demo: .venv/.demo  ## Serve the demo page and open it in your browser
	@echo "Starting an AWS and a Slack on this machine; nothing leaves it …"
	@$(BIN)/python -m sandbox demo

play: .venv/.demo  ## Play a story in the terminal: make play STORY=sandbox/scenarios/flagship.yaml
	@$(BIN)/python -m sandbox play $(STORY)

pictures: .venv/.dev  ## Take the pictures and screens of the documents again (needs Chromium)
	WRITE_SCREENS=1 $(BIN)/python -m pytest -m slow tests/ops/test_first_day.py
	$(BIN)/python -m sandbox pictures

permissions: .venv/.dev  ## Play every story, and write docs/permissions.md
	$(BIN)/python -m sandbox permissions

test: .venv/.dev  ## Run the tests
	$(BIN)/python -m pytest -n 2 $(COVER)

test-all: test-slow test-ops  ## Run the slow tests: every shipped story, whole deployments, the browser, others' clients

test-slow: .venv/.dev
	$(BIN)/python -m pytest -n 2 -m "slow or browser" --ignore=tests/ops $(SAMPLE)

test-ops: .venv/.dev
	$(BIN)/python -m pytest -n 2 -m slow --dist=loadfile tests/ops $(SAMPLE)  # each file is one long story

# Each of these targets in turn, and how long each took.
define timed
	@times=; for step in $(1); do began=$$(date +%s); \
		$(MAKE) --no-print-directory $$step || { echo "Failed: $$step"; exit 1; }; \
		times="$$times\n  $$step	$$(( $$(date +%s) - began )) s"; done; \
	printf "Passed, in this time:$$times\n" | expand -t 16
endef

MEASURED := --cov --cov-report=term-missing:skip-covered --cov-fail-under=95

check: .venv/.dev  ## Format, lint, layers, types, dead code, the tests
	$(call timed,lint layers types dead test)

ci: export COVER = $(MEASURED)
ci: export SAMPLE = --one-in 4
ci: .venv/.dev  ## What CI runs: `make check` with coverage, and the slow tests with a quarter of each matrix
	$(call timed,lint layers types dead test domain-covered test-slow test-ops)

coverage: export COVER = $(MEASURED)
coverage: test domain-covered  ## The tests, and how much of the code they reach

domain-covered:
	$(BIN)/python -m coverage report --include="chalicelib/domain/*" --skip-covered --fail-under=100

format: .venv/.dev  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

layers: .venv/.dev
	$(BIN)/lint-imports --no-logo

types: .venv/.dev
	$(BIN)/mypy app.py chalicelib sandbox ops scripts bench tests

docs: .venv/.dev  ## Write the parts of the documents that come from the code
	$(BIN)/python -m scripts.write_docs

lock: .venv/.dev  ## Write requirements.txt: what is deployed, for every supported Python, with its hashes
	$(PIP) install uv==0.13.9
	@echo "# What is deployed, with every version and hash: written by \`make lock\` from pyproject.toml." > requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml >> requirements.txt

dead: .venv/.dev  ## Look for code that nothing uses
	$(BIN)/vulture

mutants: .venv/.dev  ## Change the domain one small thing at a time: do the tests notice? (hours)
	$(BIN)/python -m mutmut run --max-children 2
	$(BIN)/python -m mutmut results

mutants-sample: .venv/.dev  ## Change 200 places of flows, aws and slack, drawn by a seed that it prints (half an hour)
	$(BIN)/python -m scripts.mutants_sample $(if $(SEED),--seed $(SEED)) $(if $(NUMBER),--number $(NUMBER)) $(if $(OF),--of $(OF))

bench: .venv/.dev  ## Measure, and write docs/performance.md
	$(PIP) install -r bench/requirements.txt
	$(BIN)/python -m bench

fuzz: .venv/.dev  ## Feed 20,000 odd events, requests and stored items
	$(BIN)/python -m sandbox fuzz

reliability: .venv/.dev  ## Play all crashes and 500 random interleavings of the flows, and write docs/reliability.md
	HYPOTHESIS_PROFILE=ci RELIABILITY_PAGE=docs/reliability.md $(BIN)/python -m pytest tests/reliability

crash-matrix: .venv/.dev  ## Break every call in every way, and write docs/reliability.md
	$(BIN)/python -m sandbox crash-matrix

read-matrix: .venv/.dev  ## Break every read at each of its moments, and single calls: nobody may have to help
	$(BIN)/python -m sandbox read-matrix
	$(BIN)/python -m sandbox transient

tamper-matrix: .venv/.dev  ## Edit a stored case in every way at each of its moments, and write docs/reliability.md
	$(BIN)/python -m sandbox tamper-matrix

deploy: .venv/.ops  ## Deploy to AWS: make deploy STAGE=prod SETTINGS=prod.env
	$(BIN)/unlatch deploy --stage $(STAGE) $(if $(SETTINGS),--settings $(SETTINGS))

clean:  ## Remove what the commands made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build mutants
