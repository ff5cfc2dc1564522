#!/bin/sh
# resolve.sh lowest-direct|highest FOLDER: the oldest or newest versions that pyproject.toml admits, in FOLDER.
# The tests on both show that the ranges are true; constraints.txt pins one point between them.
set -eu
cd "${0%/*}/.."
[ $# = 2 ] || { echo "usage: tools/resolve.sh lowest-direct|highest FOLDER" >&2; exit 2; }
python3 -m venv "$2"
"$2/bin/pip" install -q uv
"$2/bin/uv" pip compile -q --extra dev --resolution "$1" pyproject.toml -o "$2/resolved.txt"
"$2/bin/uv" pip install -q --python "$2/bin/python" -r "$2/resolved.txt" -e .
