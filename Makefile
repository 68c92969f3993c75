# make demo: install into .venv and train a first model.   make test: install and run every test.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test test-ray fuzz lint smoke wheel hashes bench bench-gpu mutants clean

demo: $(VENV)/.installed
	$(BIN)/losscli train --task binary --loss bce-logits

test: $(VENV)/.installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

# Three raylets on this machine, a minute: apart from the others, which leave a cluster too little of two cores.
test-ray: $(VENV)/.installed
	LOSSCLI_TEST_RAY=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/executors/test_ray.py

# Files, records and command lines made to break it, on both cores: an hour, or SECONDS=60; another SEED tries others. Ctrl-C
# ends it, with what there is. PROCESSES=--processes makes each call a process of its own, and KINDS="csv records" takes these.
fuzz: $(VENV)/.installed
	OMP_NUM_THREADS=1 nice $(BIN)/python tests/fuzz/driver.py $(KINDS) --jobs 2 --seconds $(or $(SECONDS),3600) --seed $(or $(SEED),0) $(PROCESSES)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Every spec from end to end, each run capped at about a second of training.
smoke: $(VENV)/.installed
	for spec in configs/*.yaml; do echo "== $$spec"; $(BIN)/losscli compare --smoke --quiet --out .smoke "$$spec" || exit 1; done
	rm -rf .smoke

# A wheel, installed into an environment of its own from the registry alone, and used in another folder.
wheel: $(VENV)/.installed
	rm -rf .wheel build
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir .wheel .
	rm -rf build
	$(PYTHON) -m venv .wheel/venv
	.wheel/venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt .wheel/losscli-*.whl
	git ls-files losscli > .wheel/files
	mkdir .wheel/elsewhere
	cd .wheel/elsewhere && ../venv/bin/python -I ../../tests/wheel.py ../files
	rm -rf .wheel

# Hashes of what constraints.txt names, to be committed with it.
hashes: $(VENV)/.installed
	grep -v '^torch==' constraints.txt > .unhashed
	$(BIN)/python -m pip install --dry-run --ignore-installed --no-deps --quiet --report .report -r .unhashed
	$(BIN)/python tests/hashes.py .report > .ci/hashes.txt
	rm .unhashed .report

bench: $(VENV)/.installed
	$(BIN)/python tests/benchmarks/speed.py
	$(BIN)/python tests/benchmarks/losses.py
	$(BIN)/python tests/benchmarks/verdicts.py
	$(BIN)/python tests/benchmarks/loading.py
	$(BIN)/python tests/benchmarks/big.py

# Needs a GPU; under six minutes. Results go to tests/benchmarks/results/.
bench-gpu: $(VENV)/.installed
	$(BIN)/python tests/benchmarks/gpu.py

# 300 seeded faults in losses, metrics, compare and stack: how many do the tests notice? It can be stopped, and goes on.
mutants: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[mutants]"
	nice $(BIN)/python tests/benchmarks/mutants.py

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) .smoke .wheel build .unhashed .report
