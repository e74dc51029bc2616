# Every target makes what it needs; the second time it only checks that it is there.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test lint sanity unit molecule bench down venv

PYTHON_VENV := .venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1\t/' \
		| while IFS=$$'\t' read -r target text; do printf '  make %-10s %s\n' "$$target" "$$text"; done

demo: venv ## Start the platform under test and deploy the demo application on it
	@scripts/demo

test: venv ## Run all checks, unit tests and Molecule scenarios, with one summary
	@$(PYTHON_VENV) scripts/run_tests.py

lint: venv ## Check style and types: ruff, mypy, yamllint, ansible-lint
	@$(PYTHON_VENV) scripts/run_tests.py lint

unit: venv ## Run the unit tests and the house rules, with coverage
	@$(PYTHON_VENV) scripts/run_tests.py unit

sanity: venv ## Run ansible-test sanity on the built and installed collection
	@$(PYTHON_VENV) scripts/run_tests.py sanity

molecule: venv ## Run the Molecule scenarios; SCENARIO=name for one of them
	@$(PYTHON_VENV) scripts/run_tests.py molecule $(if $(SCENARIO),--scenario $(SCENARIO))

bench: venv ## Measure the speed on the platform under test and print the table
	@scripts/platform up
	@$(PYTHON_VENV) tests/bench/run.py

down: venv ## Remove the platform under test
	@scripts/platform down

venv:
	@PYTHON="$(PYTHON)" scripts/bootstrap
