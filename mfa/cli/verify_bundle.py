"""``mfa verify NAME.bundle.json``: is a figure still what its bundle says?"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mfa.errors import InputError
from mfa.files import read_json

RUN = "from viz.cli import main; main()"
"""``mfa-viz`` as a program of its own: ``mfa`` does not import what draws."""


def moved(path: Path, again: bool) -> Iterator[str]:
    """Everything in which a figure differs from its bundle, in words.

    Args:
        path: of the bundle; the figure's files lie beside it.
        again: make the figure again by the bundle's command, and compare numbers and inputs too.
    """
    bundle = _read(path)
    for name, stored in bundle["files"].items():
        file = path.parent / name
        found = hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.is_file() else "missing"
        if found != stored:
            yield f"file {name} is {stored}, found {found}"
    if not again or not bundle["command"]:
        return
    with tempfile.TemporaryDirectory() as folder:
        words = [*bundle["command"], "--out", folder, "--only", bundle["name"]]
        ran = subprocess.run([sys.executable, "-c", RUN, *words], capture_output=True, text=True)
        if ran.returncode:
            last = (ran.stderr.strip().splitlines() or ["no word"])[-1]
            raise InputError(f"the command of {path} failed: {last}")
        made = read_json(Path(folder) / path.name)
    differences = [
        difference
        for part in ("inputs", "numbers")
        for difference in _differences(part, bundle.get(part), made[part])
    ]
    yield from differences
    if differences:  # versions alone are no difference, but may explain one
        yield from _differences("versions", bundle.get("versions"), made["versions"])


def _read(path: Path) -> dict[str, Any]:
    """The bundle; its command may make figures and do nothing else, whoever wrote the file."""
    bundle = read_json(path)
    kinds = {"name": str, "command": list, "files": dict, "numbers": list}
    if not isinstance(bundle, dict) or not all(
        isinstance(bundle.get(name), kind) for name, kind in kinds.items()
    ):
        raise InputError(f"{path} is no bundle of a figure", "make the figure again")
    command = bundle["command"]
    if not all(isinstance(word, str) and "\0" not in word for word in [bundle["name"], *command]):
        raise InputError(f"{path} is no bundle of a figure", "make the figure again")
    if command and command[0] != "figures":
        raise InputError(
            f"the command of {path} is mfa-viz {command[0]}, which makes no bundle",
            "do not trust the file; make the figure again",
        )
    return bundle


def _differences(where: str, stored: Any, found: Any) -> Iterator[str]:
    """Leaves of two JSON values that differ, with their place."""
    if isinstance(stored, dict) and isinstance(found, dict):
        for key in {**stored, **found}:
            yield from _differences(f"{where} / {key}", stored.get(key), found.get(key))
    elif isinstance(stored, list) and isinstance(found, list) and len(stored) == len(found):
        for place, pair in enumerate(zip(stored, found, strict=True)):
            yield from _differences(f"{where} / {place}", *pair)
    elif stored != found and not (stored != stored and found != found):  # NaN is no difference
        yield f"{where} is {stored}, recomputed {found}"
