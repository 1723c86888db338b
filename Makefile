# Everything a newcomer or CI types. `make help` lists it.
SHELL := /bin/sh
PY ?= python3
VENV := .venv
BIN := $(VENV)/bin
MELDKAMER := $(BIN)/meldkamer
export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help
.PHONY: help venv run test check clauses messages sim chaos bench lock clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

venv: ## the virtual environment, from the hashed locks
	@PY="$(PY)" sh scripts/make-venv $(VENV) run
devvenv:
	@PY="$(PY)" sh scripts/make-venv $(VENV) dev
.PHONY: devvenv

lock: devvenv ## rebuild requirements/*.txt from requirements/*.in
	@for n in run dev; do \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-annotate --no-emit-index-url --no-emit-find-links \
	    requirements/$$n.in -o requirements/$$n.txt || exit 1; done
