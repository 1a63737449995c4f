# Brieftaube. "make" alone prints what there is.
.DEFAULT_GOAL := help
PYTHON ?= python3
TOOLS := .tools
UV := $(TOOLS)/bin/uv
BIN := .venv/bin
export UV_PYTHON ?= $(shell command -v $(PYTHON))
export UV_PYTHON_DOWNLOADS := never
ifdef PORT
export BRIEFTAUBE_PORT := $(PORT)
endif
ifdef DATA_DIR
export BRIEFTAUBE_DATA_DIR := $(DATA_DIR)
endif

.PHONY: help
help: ## print this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | sed 's/:.*## /\t/' | expand -t 14

$(UV):
	@$(PYTHON) -m venv $(TOOLS) || { echo "Python 3.11 or newer with its venv module is needed (Debian: python3-venv)." >&2; exit 1; }
	@$(TOOLS)/bin/pip install --quiet --disable-pip-version-check "uv>=0.9,<0.14"

.venv/.run: $(UV) uv.lock pyproject.toml
	@$(UV) sync --locked --quiet --inexact --compile-bytecode
	@$(BIN)/python -m compileall -q newsletter archive_site
	@touch $@

.venv/.test: .venv/.run
	@$(UV) sync --locked --quiet --inexact --compile-bytecode --group test
	@touch $@

tests/browser/node_modules/.done: tests/browser/package-lock.json
	@if command -v npm >/dev/null; then cd tests/browser && { npm ci --silent --no-audit --no-fund --loglevel=error && touch node_modules/.done || echo "npm could not install the browser" >&2; }; else echo "npm is missing: the browser tests need Chromium from elsewhere or are skipped" >&2; fi

.tools/go/versitygw: ## an S3 server for the tests (needs Go)
	@mkdir -p $(TOOLS)/go
	@GOBIN=$(CURDIR)/$(TOOLS)/go go install github.com/versity/versitygw/cmd/versitygw@v1.8.0

.PHONY: run
run: .venv/.run ## install what is needed, then run everything (PORT=… DATA_DIR=…)
	@exec $(BIN)/brieftaube run

.PHONY: demo
demo: .venv/.run ## load a complete publication to look around in
	@$(BIN)/brieftaube demo

.PHONY: test
test: .venv/.test tests/browser/node_modules/.done ## run every test that this machine can run
	@$(BIN)/python -m pytest -q -n 2 --dist loadgroup $(ARGS)

.PHONY: lint
lint: .venv/.test ## style, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run make format" >&2; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: format
format: .venv/.test ## set the code in order
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

.PHONY: messages
messages: .venv/.test ## bring the German catalog up to date
	@$(BIN)/python tools/messages.py
	@$(BIN)/python tools/messages.py --missing

.PHONY: golden
golden: .venv/.test ## write the golden mails anew, after a change of a layout that is meant
	@PYTHONPATH=. $(BIN)/python tests/rendering/golden.py

.PHONY: soak
soak: .venv/.test ## 10,000 recipients while the worker is killed again and again
	@$(BIN)/python benchmarks/soak.py $(ARGS)

.PHONY: shake
shake: .venv/.test ## 100,000 broken mails, none of which may raise
	@$(BIN)/python benchmarks/incoming.py --mutations 100000

.PHONY: pictures
pictures: .venv/.test tests/browser/node_modules/.done ## make the README's pictures from the running program
	@$(BIN)/python tools/pictures.py docs/pictures

.PHONY: vendor
vendor: ## build the editor anew
	@cd tools/vendor && npm ci --silent && npm run build

.PHONY: clean
clean: ## remove what was installed and built; data in var/ stays
	@rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache tests/browser/node_modules tools/vendor/node_modules
