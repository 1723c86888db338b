# Everything a newcomer or CI types. `make` alone lists it.
SHELL := /bin/sh
PY ?= python3
VENV := .venv
BIN := $(VENV)/bin
export UV_PYTHON_DOWNLOADS := never

#: sections of the rules that are complete: each clause has a test that passes and checks it
HELD := 1 2 3 4 5 6 12

.DEFAULT_GOAL := help
.PHONY: help venv devvenv run test check clauses messages sim chaos bench lock

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' Makefile

run: venv ## everything on this machine; CITY=off keeps the demo city quiet
	@exec $(BIN)/meldkamer run

venv: ## the virtual environment in .venv, from the hashed locks
	@PY="$(PY)" sh scripts/make-venv $(VENV) run

devvenv:
	@PY="$(PY)" sh scripts/make-venv $(VENV) dev

test: devvenv ## all tests; then no rule of HELD may be without one that checks it
	@sh scripts/debian-needs
	MELDKAMER_WHOLE_SUITE=1 $(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder
	@$(BIN)/python -m meldkamer.project.clauses --quiet --strict $(HELD)

check: check-style check-types check-floors check-migrations check-translations ## all that is held without running

check-style: devvenv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
check-types: devvenv
	$(BIN)/mypy
check-floors: devvenv
	$(BIN)/lint-imports
check-migrations: devvenv
	$(BIN)/meldkamer manage makemigrations --check --dry-run
check-translations: devvenv
	$(BIN)/python -m meldkamer.project.i18n check
.PHONY: check-style check-types check-floors check-migrations check-translations

clauses: devvenv ## every clause with its tests and stories; ARGS="--strict 3" fails on a gap
	@$(BIN)/python -m meldkamer.project.clauses $(ARGS)

messages: devvenv ## bring the translation catalogues up to date
	@$(BIN)/python -m meldkamer.project.i18n collect

sim: devvenv ## rehearse random stories with every checker; N=how many SEED=the first
	@$(BIN)/meldkamer sim $(if $(SEED),--seed $(SEED)) $(if $(N),--count $(N)) $(ARGS)

chaos: devvenv ## kill processes at random, and check that nothing is lost; N=rounds SEED=n
	@$(if $(SEED),MELDKAMER_CHAOS_SEED=$(SEED)) $(if $(N),MELDKAMER_CHAOS_ROUNDS=$(N)) \
	  $(BIN)/python -m pytest -q tests/process -m chaos $(ARGS)

bench: devvenv ## measure receiver and screen on this machine
	@$(BIN)/meldkamer bench $(ARGS)

lock: devvenv ## rebuild requirements/*.txt from requirements/*.in
	@for n in run dev; do \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-annotate --no-emit-index-url --no-emit-find-links \
	    requirements/$$n.in -o requirements/$$n.txt || exit 1; done
