# Needs make and Python 3.11 or later; everything else is installed into .venv.
PYTHON ?= python3
VENV ?= .venv
MODEL ?= celeba128
DEMO := runs/demo
BIN := $(VENV)/bin
TWOBIRDS := $(BIN)/twobirds
SHELL := /bin/bash

.PHONY: help setup demo test test-slow test-web test-ray check fmt lint type links docs notebook tutorial \
    pictures wheel campaign campaign-short sbom audit clean

help:
	@echo "make demo   render drawn faces, train on them, evaluate: under 10 minutes on two quiet cores"
	@echo "make test   run the tests"
	@echo "make check  lint, types and tests"
	@echo "also: setup fmt lint type links docs notebook wheel test-slow test-web test-ray tutorial pictures"
	@echo "      campaign campaign-short sbom audit clean"

setup: $(VENV)/installed-dev

$(VENV)/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "$(PYTHON) is older than Python 3.11: name another, as in make PYTHON=python3.12" >&2; \
	    exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# One environment; each stamp says that the package with that extra is installed in it.
$(VENV)/installed-%: pyproject.toml constraints.txt | $(VENV)/created
	@echo "Installing twobirds-faces[$*] into $(VENV): a minute or two ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --constraint constraints.txt --editable '.[$*]'
	@touch $@

.PRECIOUS: $(VENV)/installed-%

# The demo: each step is skipped where its result lies already; training goes on where it was
# stopped, and ends at once where it is complete.
demo: $(DEMO)/report.html
	@echo "The report: $(abspath $(DEMO)/report.html)"

$(DEMO)/faces/drawn.json: | $(VENV)/installed-evaluate
	$(TWOBIRDS) draw $(DEMO)/faces --count 20000 --size 64

$(DEMO)/pack/pack.json: $(DEMO)/faces/drawn.json | $(VENV)/installed-evaluate
	$(TWOBIRDS) pack $(DEMO)/faces $(DEMO)/pack --size 64

$(DEMO)/report.html: $(DEMO)/pack/pack.json | $(VENV)/installed-evaluate
	$(TWOBIRDS) train tiny --data $(DEMO)/pack --out $(DEMO)/run --images 70000 --resume
	$(TWOBIRDS) evaluate $(DEMO)/run --data $(DEMO)/pack --out $(DEMO)/report.json \
	    --num-fakes 2000 --max-faces 600 --faces-per-edit 50 --judge-images 30000

# A file at a time on each core: threads of one test would wait for those of another.
test: setup
	OMP_NUM_THREADS=1 $(BIN)/pytest --no-header -n auto --maxprocesses 4 --dist loadfile \
	    --no-loadscope-reorder

test-slow: setup
	$(BIN)/pytest --no-header -m 'slow and not gpu'

# Needs Debian's package chromium; its screenshots of the page go to runs/screenshots.
test-web: $(VENV)/installed-dev,browser
	$(BIN)/pytest --no-header -m web

# Packing and recognizing on a Ray cluster of two workers of this machine.
test-ray: $(VENV)/installed-dev,ray
	$(BIN)/pytest --no-header tests/data/test_ray.py tests/photos/test_labels.py

check: lint type test

fmt: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: links
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python tools/check_sizes.py src benchmarks
	$(BIN)/lint-imports

type: setup
	$(BIN)/mypy --strict

links: setup
	$(BIN)/python tools/check_links.py

# The site, into runs/site.
docs: links
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# Execute the tutorial, as a test.
notebook: setup
	$(BIN)/pytest --no-header -m notebook tests/test_tutorial.py

# Execute the tutorial and store its outputs in it.
tutorial: setup
	$(BIN)/python tools/execute_notebook.py docs/tutorial.ipynb

# Make the pictures of the README anew: make pictures MODEL=runs/mine
pictures: setup
	$(BIN)/python tools/readme_pictures.py $(MODEL)

# Build source distribution and wheel into dist, and try the wheel in an environment of its own.
wheel: setup
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/pytest --no-header -m wheel tests/test_wheel.py

# Hostile inputs, kills and failing environments (docs/security.md); Linux. About an hour on two
# cores, and five minutes.
campaign: setup
	OMP_NUM_THREADS=1 PYTHONPATH=benchmarks $(BIN)/python -m campaign \
	    --out benchmarks/results/campaign.json

campaign-short: setup
	OMP_NUM_THREADS=1 PYTHONPATH=benchmarks $(BIN)/python -m campaign --inputs 1000 --kills 9 \
	    --jobs "train paper" pack export --no-surroundings --requests 60 \
	    --users 10 --user-seconds 40 --user-pause 5 --out runs/campaign.json

# What is installed, as a bill of materials in CycloneDX's form, into dist.
sbom: $(VENV)/installed-dev,supply-chain
	@mkdir -p dist
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --mc-type library \
	    --output-reproducible --output-file dist/sbom.cdx.json $(BIN)/python

# Known vulnerabilities of what is installed; asks pypi.org, so it needs a network. It fails if a
# package cannot be audited: a mirror without pypi.org's JSON would find nothing in anything.
audit: $(VENV)/installed-dev,supply-chain
	@mkdir -p dist
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' > dist/audited.txt
	$(BIN)/pip-audit --strict --no-deps --disable-pip --requirement dist/audited.txt

# Other runs than the demo's are left alone.
clean:
	rm -rf $(VENV) $(DEMO) runs/site build dist src/*.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
