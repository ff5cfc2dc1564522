"""Run benches, each a module, and keep what they measured with the machine and the date.

A bench module has ``run() -> dict``. It may take ``repeats`` and options of its own. Where the
design bounds its figures it has ``TARGETS``, such as ``{"ratio_to_product": ("<=", 2.5)}``. Ratios
come from pairs timed one after the other, so that a machine that is busy for a while slows both.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mfa.errors import InputError
from mfa.files import write_atomically

BENCHES = (
    "evaluator",
    "msmt17",
    "rerank",
    "scale",
    "synthetic",
    "loading",
    "train",
    "extract",
    "models",
    "forward",
    "cam",
    "pair",
    "grid",
    "apps",
    "memory",
)
"""Modules of this package."""

MAX_REPEATS = 1_000


def run(name: str, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Run one bench.

    Args:
        name: one of ``BENCHES``.
        options: ``repeats``, and what else the bench takes.

    Returns:
        The bench's own keys, ``targets`` (each with whether it was met), ``seconds``.

    Raises:
        InputError: there is no such bench, it does not take an option, or repeats out of range.
    """
    if name not in BENCHES:
        raise InputError(f"no bench {name!r}; there are {', '.join(BENCHES)} and all")
    options = options or {}
    if not 1 <= options.get("repeats", 1) <= MAX_REPEATS:
        raise InputError(f"repeats must be 1 to {MAX_REPEATS}, got {options['repeats']}")
    module = importlib.import_module(f"benchmarks.{name}")
    takes = inspect.signature(module.run).parameters
    for option in {*options} - {*takes} - {"repeats"}:
        raise InputError(f"bench {name} has no option {option!r}")
    start = time.perf_counter()
    measured = module.run(**{key: value for key, value in options.items() if key in takes})
    return {
        **measured,
        "targets": {
            key: {"bound": f"{sign} {bound:g}", "met": _met(measured[key], sign, bound)}
            for key, (sign, bound) in getattr(module, "TARGETS", {}).items()
        },
        "seconds": round(time.perf_counter() - start, 1),
    }


def run_all(options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Run every bench; one that cannot run says why under ``error``."""
    measured: dict[str, Any] = {}
    for name in BENCHES:
        print(f"bench {name} ...", file=sys.stderr, flush=True)
        try:
            measured[name] = run(name, options)
        except InputError as error:
            measured[name] = {"error": str(error)}
    return measured


def stamp() -> dict[str, Any]:
    """When and where: ``date``, ``machine``, and how busy it was at the start."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
            "threads": os.environ.get("OMP_NUM_THREADS", "all"),
            "system": platform.platform(terse=True),
            "python": platform.python_version(),
        },
    }


def keep(measured: Mapping[str, Any], path: Path) -> None:
    """Write the measurement to ``path`` as JSON; the file is whole or as it was."""
    write_atomically(path, json.dumps(measured, indent=2) + "\n")


def _met(value: float, sign: str, bound: float) -> bool:
    return value <= bound if sign == "<=" else value >= bound


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
