# The commands of this project; each builds .venv first where it is missing or out of date.
SHELL := /bin/bash
BIN := .venv/bin
STAMP := .venv/.complete-$(shell cat requirements.txt pyproject.toml | sha256sum | cut -c1-16)
PEERS := benchmarks/peers/.venv
PEERS_STAMP := $(PEERS)/.complete-$(shell sha256sum <benchmarks/peers/requirements.txt | cut -c1-16)
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile
# The tests start hundreds of Python processes: none of them shall compile the project anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint check chaos chaos-payments bench bench-peers format golden lock clean

run: $(STAMP) ## start everything on this machine
	BILLING_DEMO=$${BILLING_DEMO:-1} exec $(BIN)/billing run

test: $(STAMP) ## run every test against a real PostgreSQL
	$(PYTEST)

lint: $(STAMP) ## linters, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## lint, then the fast tests
	$(PYTEST) -m "not slow"

chaos: $(STAMP) ## break everything at random for MINUTES and check that nothing is lost; SEED repeats a run
	$(BIN)/python -m tests.chaos --minutes $${MINUTES:-30} $${SEED:+--seed $$SEED}

chaos-payments: $(STAMP) ## break everything while PAYMENTS are made and compare what moved with the ledger; SEED repeats
	$(BIN)/python -m tests.chaos.payments --payments $${PAYMENTS:-2000} $${SEED:+--seed $$SEED}

bench: $(STAMP) ## measure everything and write docs/performance.json and its page; SCALE=full for large ledgers
	$(BIN)/python -m benchmarks --write --scale $${SCALE:-quick}

bench-peers: $(STAMP) $(PEERS_STAMP) ## measure what a user would pick instead and write its table
	$(BIN)/python -m benchmarks peers --write --scale $${SCALE:-quick}

format: $(STAMP) ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

golden: $(STAMP) ## rewrite the golden files; review the diff
	$(BIN)/python -m tests.support.golden

lock: $(STAMP) ## lock the dependencies of pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 --extra dev --upgrade pyproject.toml --output-file requirements.txt

clean: ## remove what was built; the data folder stays
	rm -rf .venv $(PEERS) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info

$(PEERS_STAMP): benchmarks/peers/requirements.txt | $(STAMP)
	rm -rf $(PEERS)
	$(BIN)/uv venv --quiet --python $(BIN)/python $(PEERS)
	$(BIN)/uv pip install --quiet --require-hashes --python $(PEERS)/bin/python --requirement $<
	touch $@

$(STAMP): requirements.txt pyproject.toml scripts/build-venv
	scripts/build-venv $@
