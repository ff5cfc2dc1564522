#!/bin/sh
# Finds a Python that is new enough and lets it set up .venv; `make` calls this before anything else.
# POSIX sh with built-in commands only, so that it runs, and says what is wrong, on a bare machine.
set -u
cd "${0%/*}/.." || exit 1

# The usual case, and the quick one: nothing to do.
[ -x .venv/bin/python ] && .venv/bin/python tools/setup.py --ready 2>/dev/null && exit 0

# A name on PATH may still not run (pyenv leaves such shims), so each candidate is asked to.
new_enough='import sys; sys.exit(sys.version_info < (3, 11))'
for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    if "$candidate" -c "$new_enough" >/dev/null 2>&1; then
        exec "$candidate" tools/setup.py
    fi
done

version='import sys; print("Python %d.%d" % sys.version_info[:2])'
for candidate in ${PYTHON:-python3 python}; do
    found=$("$candidate" -c "$version" 2>/dev/null) && break
done
echo "error: the workbench needs Python 3.11 or newer and found ${found:-none}; install one, or name" \
    "it: make PYTHON=/path/to/python3.12 test" >&2
exit 1
