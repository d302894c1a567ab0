# Two commands matter: `make serve` (the book on this machine, at once) and `make test` (everything, checked).
# Each installs what it needs into .venv and node_modules, and does again only what is stale.

PYTHON ?= python3
ADDRESS ?= 127.0.0.1:8000
PY := .venv/bin/python
READY := .venv/.ready

.PHONY: serve book test fast lint remeasure environment browser format clean

serve: $(READY)  ## the book at localhost; it follows your edits
	$(PY) -m snippets serve --address $(ADDRESS)

book: $(READY)  ## what is stale is trained and written into record/; then the strict build into site/
	$(PY) -m snippets build

test: lint book browser  ## what is stale, the strict build, and every test
	$(PY) -m pytest -n auto

fast: lint  ## all checks that need neither results nor a browser, in about a minute
	$(PY) -m pytest -n auto -m "not results and not browser and not pipeline and not slurm and not zensical"

lint: $(READY)  ## form and types
	$(PY) -m ruff check snippets tests
	$(PY) -m ruff format --check snippets tests
	$(PY) -m mypy

remeasure: $(READY)  ## the whole book from nothing, beside the record, and what differs
	$(PY) -m snippets remeasure

environment: $(READY)  ## the Python and Node packages

browser: $(READY)  ## Chromium, if there is none
	$(PY) -m tests.browser

format: $(READY)  ## format the code
	$(PY) -m ruff check --fix snippets tests
	$(PY) -m ruff format snippets tests

clean:  ## all that was made, but not the record and not the packages
	rm -rf build site .snakemake

$(READY): requirements.txt package-lock.json
	$(PYTHON) snippets/book/install.py
