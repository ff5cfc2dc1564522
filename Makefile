# Every target sets up .venv first if it is not there yet; see tools/setup.py.
# make PYTHON=/path/to/python3.12 ... chooses the interpreter.
export PYTHON
BIN := .venv/bin

.PHONY: help drawings setup demo test bench lab lint apps page site screenshots
help:
	@echo "make demo   draw pedestrians, score, train, draw maps; leaves runs/demo/ (START=none: from random weights)"
	@echo "make test   run the tests"
	@echo "make bench  measure speed, with the bound of every figure"
	@echo "make lab    open JupyterLab on notebooks/"
	@echo "make apps   serve the interactive apps on the demo's run"
	@echo "make page   one HTML file that runs mfa-tiny by double click, into build/mfa.html"
	@echo "make site   documents and executed notebooks as pages, into site/"
	@echo "make drawings  the drawings of docs/images, from the demo's run, and the README's doors"
	@echo "make screenshots  pictures of the apps for the documents"
	@echo "make lint   ruff and mypy"

setup:
	@tools/setup.sh

demo: setup
	@$(BIN)/mfa-viz demo $(if $(START),--start $(START))

test: setup
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

bench: setup
	@$(BIN)/python -m benchmarks all

# JupyterLab refuses to start as root (containers) unless told that it may.
lab: setup
	@$(BIN)/python -m jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

apps: setup
	@$(BIN)/mfa-viz app --run runs/demo/run --browser

page: setup
	@$(BIN)/python tools/page/build.py

site: setup
	@$(BIN)/python tools/page/build.py || echo 'The site goes without the page of one file.'
	@$(BIN)/python -m pip install -q -c constraints.txt -e '.[site]'
	@$(BIN)/python tools/site.py

drawings: setup
	@$(BIN)/python tools/drawings.py --run runs/demo/run
	@$(BIN)/python tools/face.py

screenshots: setup
	@$(BIN)/python tools/screenshots.py --run runs/demo/run
	@$(BIN)/python tools/face.py
