# pyovn: `make demo` and `make test` do all set-up on a fresh machine (Python >= 3.11 and make are enough).
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
WORKERS ?= 2

.PHONY: help demo demo-l3 test unit system check fmt golden bench soak clean packages
help:
	@echo "make demo    two guests on two hypervisors ping, in one process, without root"
	@echo "make demo-l3 guests reach the world through gateways, and one of them dies"
	@echo "make test    all checks and tests (with root and apt: real Open vSwitch and C OVN too)"
	@echo "make check   style, types and import layers"
	@echo "make unit    the tests that need no other program"
	@echo "make system  the tests against real Open vSwitch and the C programs (root)"
	@echo "make bench   measurements, as ratios to the C programs where installed"
	@echo "make soak    the long runs"

$(BIN)/.run: pyproject.toml constraints.txt
	@tools/make-venv $(PYTHON) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(BIN)/.dev: $(BIN)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(BIN)/.run
	@$(BIN)/pyovn lab demo

demo-l3: $(BIN)/.run
	@$(BIN)/pyovn lab demo l3

packages:
	@tools/system-packages

test: check packages
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not soak and not system and not interop" tests
	$(BIN)/python -m pytest -m "(system or interop) and not soak" tests

check: $(BIN)/.dev
	$(BIN)/ruff check src tests bench
	$(BIN)/ruff format --check src tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: $(BIN)/.dev
	$(BIN)/ruff check --fix src tests bench
	$(BIN)/ruff format src tests bench

unit: $(BIN)/.dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not soak and not system and not interop" tests

system: $(BIN)/.dev packages
	$(BIN)/python -m pytest -m "(system or interop) and not soak" tests

soak: $(BIN)/.dev packages
	$(BIN)/python -m pytest -m soak tests

bench: $(BIN)/.dev packages
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

golden: $(BIN)/.dev
	PYOVN_GOLDEN=write $(BIN)/python -m pytest -q tests/northd/test_golden.py
