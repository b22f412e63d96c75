# The two commands:  make run   make test
PYTHON ?= python3
RUN = .venv-run
DEV = .venv-dev
LOWEST = .venv-lowest
COMPAT = .venv-compat
LOCKED = .venv-locked

.PHONY: run test campaigns-short coverage check docs format lowest compat compat-short benchmark-page examples hands drawings readme openapi layout help clean verify fuzz fuzz-short faults-noticed mutants faults soak reliability-page lock locked

run: $(RUN)/done  ## install the runtime and compare two example pictures with the model that ships
	$(RUN)/bin/pairedge predict examples/three.png examples/seven.png

# One worker to a core; a worker that has nothing left to do takes tests from another.
test: $(DEV)/done  ## the test suite, in an environment with everything
	$(DEV)/bin/python -m pytest --numprocesses logical --maxprocesses 8 --dist worksteal -m "not campaign"

campaigns-short: $(DEV)/done  ## the tests that kill, halt and starve real processes
	$(DEV)/bin/python -m pytest --numprocesses logical --maxprocesses 8 --dist worksteal -m campaign

coverage: $(DEV)/done  ## all tests, and which branches of the three packages they leave out
	$(DEV)/bin/python -m pytest --numprocesses logical --maxprocesses 8 --dist worksteal --cov

check: $(DEV)/done  ## formatting, lint and types
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/ruff check .
	$(DEV)/bin/mypy

docs: $(DEV)/done  ## build the documentation as a site, build/docs/index.html; a warning is an error
	$(DEV)/bin/python -m sphinx --fail-on-warning --quiet -c docs . build/docs

locked: $(LOCKED)/done  ## an environment of just the packages of requirements-dev.txt, each by its digest

lock: pyproject.toml  ## resolve the development packages anew; needs uv
	uv pip compile pyproject.toml --extra dev --generate-hashes --universal --python-version 3.11 \
		--upgrade --quiet --custom-compile-command 'make lock' --output-file requirements-dev.txt

format: $(DEV)/done  ## format the code and fix what lint can fix
	$(DEV)/bin/ruff format .
	$(DEV)/bin/ruff check --fix .

# Tests that need the extra serve, torch and pandas.
BEYOND_RUNTIME = serve image/test_arrays.py test_results.py
lowest: $(LOWEST)/done  ## the runtime's tests with the oldest supported dependencies
	$(LOWEST)/bin/python -m pytest tests/pairedge -m "not slow" $(BEYOND_RUNTIME:%=--ignore tests/pairedge/%)

fuzz: $(DEV)/done  ## mutate input for every reader, 1,000,000 executions each; hours, and it resumes
	$(DEV)/bin/python -m reliability.fuzz

fuzz-short: $(DEV)/done  ## the same for 30 seconds in all
	$(DEV)/bin/python -m reliability.fuzz --seconds 30

faults-noticed: $(DEV)/done  ## apply each known fault to a copy of the code: its tests must fail
	$(DEV)/bin/python -m reliability.noticed

faults: $(DEV)/done  ## 200 kills, signals, full disks and two at once; an hour, and it resumes
	$(DEV)/bin/python -m reliability.kills

soak: $(DEV)/done  ## a study on a Dask cluster whose machines fail
	$(DEV)/bin/python -m reliability.soak

reliability-page: $(DEV)/done  ## make artifacts/reliability/reliability.md from the campaigns' rows
	$(DEV)/bin/python -m reliability.page

mutants: $(DEV)/done  ## change the code at random places: a test must fail; COUNT=50 of each package
	$(DEV)/bin/python -m reliability.mutants --count $(or $(COUNT),50)

verify: $(DEV)/done  ## train ten committed rows again and compare them; needs MNIST
	$(DEV)/bin/pairedge-reproduce --verify 10

compat: $(DEV)/done  ## every exported graph in onnxruntime from 1.15.1 on, each version in its own environment
	$(DEV)/bin/python -m benchmarks.compat --environments $(COMPAT)

compat-short: $(DEV)/done  ## the shipped graphs in the oldest onnxruntime, the newest, and ONNX's evaluator
	$(DEV)/bin/python -m benchmarks.compat --short --environments $(COMPAT)

benchmark-page: $(DEV)/done  ## update benchmarks/README.md from benchmarks/results/
	$(DEV)/bin/python -m benchmarks.page

examples: $(DEV)/done  ## draw the pictures of examples/
	$(DEV)/bin/python -m tools.examples examples

drawings: $(DEV)/done  ## draw the pictures of docs/; needs MNIST and Chromium
	$(DEV)/bin/pairedge predict examples/three.png examples/seven.png --show docs/show.png
	$(DEV)/bin/python -m tools.contact_sheet docs/photos.png
	$(DEV)/bin/python -m tools.reading_steps docs
	$(DEV)/bin/python -m tools.hands docs
	$(DEV)/bin/python -m tools.mistakes docs/mistakes.png
	$(DEV)/bin/python -m tools.page_pictures docs

hands: $(DEV)/done  ## fetch the handwriting fonts and draw their glyphs anew; needs the npm registry
	$(DEV)/bin/python -m pairedge_train.rendering.collect_hands

readme: $(DEV)/done  ## update tables of README.md and train/LOG.md, the figure of accuracy and the inventory, from committed rows
	$(DEV)/bin/python -m benchmarks.pareto --draw
	$(DEV)/bin/python -m tools.readme README.md docs/accuracy.md docs/scale.md
	$(DEV)/bin/python -m tools.inventory artifacts/reports/inventory.md
	$(DEV)/bin/python -m tools.training_log train/LOG.md

openapi: $(DEV)/done  ## update docs/openapi.json from the server
	$(DEV)/bin/python -m pairedge.serve.openapi > docs/openapi.json

layout: $(DEV)/done  ## update the table of folders in CONTRIBUTING.md from the packages' docstrings
	$(DEV)/bin/python -m tools.layout CONTRIBUTING.md

$(RUN)/done: pyproject.toml
	$(PYTHON) -m venv $(RUN)
	$(RUN)/bin/pip install --quiet .
	touch $@

$(DEV)/done: pyproject.toml
	$(PYTHON) -m venv $(DEV)
	$(DEV)/bin/pip install --quiet --editable '.[dev]'
	touch $@

$(LOCKED)/done: requirements-dev.txt
	$(PYTHON) -m venv $(LOCKED)
	$(LOCKED)/bin/pip install --quiet --require-hashes --requirement requirements-dev.txt
	$(LOCKED)/bin/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# Packages built for NumPy 1 need it; --no-deps keeps pip from installing anything newer than listed.
$(LOWEST)/done: pyproject.toml tests/lowest.txt
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/pip install --quiet --requirement tests/lowest.txt
	$(LOWEST)/bin/pip install --quiet --no-deps --editable .
	touch $@

help:  ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1: /p' $(MAKEFILE_LIST)

clean:  ## remove the environments and what builds left
	rm -rf $(RUN) $(DEV) $(LOWEST) $(COMPAT) $(LOCKED) build dist
