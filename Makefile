# Two commands are enough: `make serve` and `make test`. Each sets up what it needs first.
PY := .venv/bin/python
.PHONY: setup serve test test-all lint bench coverage lock

setup: ## leave a working .venv
	@deploy/setup.sh serve

serve: setup ## start the product on http://127.0.0.1:7860
	@exec .venv/bin/atelier serve

test: ## everything but the slow suites, browser story included
	@deploy/setup.sh test
	$(PY) -m pytest --reruns 1 # decision 14: what failed is tried once more, and named at the end

test-all: ## also fuzzing, kill suites, the 1.5B practice model
	@deploy/setup.sh test
	$(PY) -m sandbox.broker.practice_model
	$(PY) -m pytest -m "" --timeout 1800

coverage: ## branch coverage of make test
	@deploy/setup.sh test
	$(PY) -m pytest --cov --cov-report=term:skip-covered

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: ## print figures beside their targets
	@deploy/setup.sh test
	$(PY) -m sandbox.broker.practice_model
	$(PY) -m bench

lock: ## after a change of pyproject.toml
	uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url \
	  --no-header -q -o requirements.lock
