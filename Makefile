# Every command works on a fresh clone: what is missing is installed first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PORT SIMULATOR_PORT

.PHONY: run test bench soak lint format clean

run: $(VENV)/.runtime
	@exec $(BIN)/python -m exodash.run

test: $(VENV)/.development
	@$(BIN)/python -m tests.suite $(SUITE)

bench: $(VENV)/.development
	@$(BIN)/python -m benchmarks

soak: $(VENV)/.development
	@$(BIN)/python -m tests.soak

lint: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest tests/unit/test_house.py
	$(BIN)/python -m tests.templates

format: $(VENV)/.development
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/.runtime: requirements.txt
	@test -x $(BIN)/python || { echo "Preparing the environment (once) ..."; $(PYTHON) -m venv $(VENV); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.development: requirements.txt requirements-dev.txt
	@test -x $(BIN)/python || { echo "Preparing the environment (once) ..."; $(PYTHON) -m venv $(VENV); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.runtime

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache
