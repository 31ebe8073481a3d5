# Everything a newcomer needs: `make run` (the main job on seeds/) and `make test`. Needs Python 3.11 to 3.13.
PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip install --quiet --constraint constraints.txt

.PHONY: install run test lint bench docs

install: $(VENV)/installed

run: install
	$(VENV)/bin/annotate run seeds/

test: $(VENV)/installed-test
	$(VENV)/bin/python -m pytest

lint: $(VENV)/installed-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

docs: $(VENV)/installed-test
	$(VENV)/bin/python docs/generate.py
	$(VENV)/bin/zensical build --strict --clean

bench: $(VENV)/installed-test
	$(VENV)/bin/python benchmarks/reading.py
	$(VENV)/bin/python benchmarks/seeds.py
	$(VENV)/bin/python benchmarks/siblings.py --sentences 1000,10000,100000
	$(VENV)/bin/python benchmarks/retraining.py
	$(VENV)/bin/python benchmarks/speed.py
	OMP_NUM_THREADS=1 $(VENV)/bin/python benchmarks/scaling.py
	OMP_NUM_THREADS=1 $(VENV)/bin/python benchmarks/memory.py

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}; name another with make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(PIP) --editable '.[test,docs]'
	touch $@
