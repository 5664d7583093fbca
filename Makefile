# Each of these does its own set-up; `make` alone lists them.
PYTHON ?= python3
PORT ?= 8501
ADDRESS ?= localhost
BIN := .venv/bin
# The files with the longest tests come first in the alphabet and are begun first, so that no core is idle in the end.
AT_ONCE := --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

.PHONY: help run test lint format bench train lock clean

help:
	@echo "make run     start Digit Lab (PORT=8501, ADDRESS=localhost; ADDRESS=0.0.0.0 to let others in)"
	@echo "make test    lint, types and all tests (MNIST_DATA_DIR=... also runs those that need the real MNIST)"
	@echo "make lint    ruff and mypy alone        make format  put the code into ruff's format"
	@echo "make bench   measure speed and memory   make train   train the bundled networks again"
	@echo "make lock    resolve the pins again     make clean   remove everything that these commands made"

run:
	@$(PYTHON) tools/environment.py run
	@exec $(BIN)/python -m streamlit run app.py --server.port=$(PORT) --server.address=$(ADDRESS)

test: lint
	@$(BIN)/python tests/browser/chromium.py
	$(BIN)/python -m pytest --cov $(AT_ONCE)

lint:
	@$(PYTHON) tools/environment.py test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format:
	@$(PYTHON) tools/environment.py test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench:
	@$(PYTHON) tools/environment.py test
	@$(BIN)/python tests/browser/chromium.py
	$(BIN)/python -m bench

# The presets' names; one that learns from another comes after it.
TEACHERS_FIRST = from mnist_core.recipes import PRESETS; \
	print(*sorted(PRESETS, key=lambda name: PRESETS[name].recipe.training.teacher))

train:
	@$(PYTHON) tools/environment.py run
	@for preset in $$($(BIN)/python -c '$(TEACHERS_FIRST)'); do \
		$(BIN)/python -m mnist_core train --preset $$preset --bundle || exit 1; \
	done

lock:
	@$(PYTHON) tools/environment.py test
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python tools/lock.py

clean:
	rm -rf .venv .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
