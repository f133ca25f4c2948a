# make demo: a whole release on the sandbox, live.   make test: the harness's own tests.
# Both set up what they need in .venv; Python 3.11 or newer, make and git have to be there.

PYTHON ?= python3
BIN := .venv/bin
RATE ?= 1000
REAL ?=
SEEDS ?= 100000
RUNS ?= 50
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sluicegate/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: demo test long bench contract contract-kubectl contract-git contract-record simulate robustness lint sandbox sandbox-down lock clean
.DEFAULT_GOAL := help

help:
	@echo "make demo      one release promoted, one taken back, on the sandbox (Python and git only)"
	@echo "               REAL=kube,argocd,istio (or some): on those real control planes"
	@echo "make test      the tests"
	@echo "make long      those that take minutes: the Jenkinsfile executed, several services live, kills and faults"
	@echo "make contract  the stand-ins and real control planes by the same tests (docs/real.md names the programs)"
	@echo "               contract-kubectl, contract-git build what it asks besides; contract-record asks a real server anew"
	@echo "make simulate  the driver in a faulty world on a simulated clock, SEEDS=100000 of them"
	@echo "make robustness  drivers killed on a live sandbox, on a faulty way to its API server, RUNS=50 of them; 25 minutes"
	@echo "make bench     false verdicts, time and bad answers, ours and other rules' (docs/decision.md); half an hour"
	@echo "make lint      ruff, mypy, import-linter, interrogate"
	@echo "make sandbox   start the sandbox and leave it running (make sandbox-down ends it)"
	@echo "make lock      pin every dependency again, with hashes"

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Sluicegate needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "installing into .venv ..."
	@$(PYTHON) -m venv .venv
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

demo: .venv/installed
	@$(BIN)/python -m ci.demo --rate $(RATE) --real "$(REAL)"

test: .venv/installed
	$(BIN)/python -m pytest -n 2 --dist loadgroup tests

long: .venv/installed
	SLUICEGATE_LONG=1 $(BIN)/python -m pytest -n 2 --dist loadgroup -m long tests

contract: .venv/installed
	SLUICEGATE_CONTRACT=1 $(BIN)/python -m pytest -n 2 --dist loadgroup tests/contract

contract-kubectl: VERSION = $$(go list -m -f '{{.Version}}' k8s.io/kubectl | sed 's/^v0/v1/')
contract-kubectl:
	cd tests/contract/kubectl && \
	  go build -ldflags "-X k8s.io/component-base/version.gitVersion=$(VERSION)" -o $(CACHE)/kubectl-1.37 .

contract-git:
	cd tests/contract/git && go build -o $(CACHE)/go-git-server .

contract-record: .venv/installed
	SLUICEGATE_CONTRACT=1 SLUICEGATE_RECORD=1 $(BIN)/python -m pytest tests/contract/api

simulate: .venv/installed
	$(BIN)/python -m benchmarks.simulation --seeds $(SEEDS) -j 2
	$(BIN)/python -m benchmarks.simulation --kills 20 -j 2

robustness: .venv/installed
	$(BIN)/python -m benchmarks.robustness --runs $(RUNS)

bench: .venv/installed
	$(PIP) "matplotlib>=3.10"
	$(BIN)/python -m benchmarks.decision --write docs/decision.md

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interrogate -q checks fixtures scenarios ci

sandbox: .venv/installed
	@$(BIN)/sluicegate sandbox up --real "$(REAL)"

sandbox-down: .venv/installed
	@$(BIN)/sluicegate sandbox down

lock: .venv/installed
	$(PIP) uv
	$(BIN)/uv pip compile pyproject.toml --extra sandbox --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet -o requirements.lock

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis reports
