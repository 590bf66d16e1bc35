# Every target does its own set-up; the second time it is quick.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FUZZ_SECONDS ?= 60
# How many processes share the tests: one for each core, and never more than it pays to start.
TEST_JOBS ?= auto
EXAMPLE := examples/task-api

.DEFAULT_GOAL := help
.PHONY: help install demo test test-live lint golden bench fuzz docs requirements clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/bin/python:
	@tools/venv.sh "$(PYTHON)" "$(VENV)"

$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

# An editable install by hand: a path file and two commands. It needs no build and takes no time.
$(VENV)/.installed: tools/link.py $(VENV)/.run
	$(BIN)/python tools/link.py
	@touch $@

install: $(VENV)/.installed ## put a working ringfence at .venv/bin/ringfence
	@version=$$($(BIN)/ringfence --version) && echo "$$version is at $(BIN)/ringfence"

demo: $(VENV)/.installed ## install, then show the Task API example and prove it with packets
	@tools/system.sh libnftables
	@tools/demo.sh $(BIN)/ringfence $(EXAMPLE)

test: $(VENV)/.installed $(VENV)/.dev ## install, then run all tests, on every core (TEST_JOBS=0: in one process)
	@tools/system.sh libnftables curl nslookup
	$(BIN)/python -m pytest -n $(TEST_JOBS) --maxprocesses 8 --dist worksteal

test-live: $(VENV)/.installed $(VENV)/.dev ## test against a real API server (KUBEBUILDER_ASSETS), or a cluster (KUBECONFIG, RINGFENCE_LIVE=1)
	$(BIN)/python -m pytest tests/live_cluster

lint: $(VENV)/.installed $(VENV)/.dev ## style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

golden: $(VENV)/.installed $(VENV)/.dev ## write the expected outputs anew; look at the difference before you commit
	@tools/system.sh libnftables curl nslookup
	$(BIN)/python -m pytest -q --golden

bench: $(VENV)/.installed $(VENV)/.dev ## measure, as ratios within one run
	@tools/system.sh libnftables curl
	$(BIN)/python bench/run.py
	$(BIN)/python bench/scale.py --peer
	PYTHONPATH=src $(BIN)/python bench/lab.py
	$(BIN)/python bench/live.py

fuzz: $(VENV)/.installed $(VENV)/.dev ## compare the three witnesses on random clusters, FUZZ_SECONDS with packets and half of it without
	@tools/system.sh libnftables
	PYTHONPATH=src:tests $(BIN)/python tests/fuzz.py --seconds $$(( $(FUZZ_SECONDS) / 2 ))
	PYTHONPATH=src:tests $(BIN)/python tests/fuzz_lab.py --seconds $(FUZZ_SECONDS)

docs: $(VENV)/.installed $(VENV)/.dev ## write the generated reference pages anew and run every command of the docs
	$(BIN)/python tools/reference.py
	$(BIN)/python tools/picture.py
	$(BIN)/python -m pytest -q tests/docs

requirements: $(VENV)/bin/python ## pin the newest dependencies, with hashes and without addresses
	@tools/requirements.sh $(BIN)

clean: ## remove what was made
	rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache bench/out
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
