"""Speed as ratios measured in one run, each bench a module.

A bench module has ``run() -> dict``, which may take ``repeats`` and options of its own, and where
the design bounds its figures ``TARGETS``, such as ``{"ratio_to_product": ("<=", 2.5)}``. Ratios
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

BENCHES: Mapping[str, str] = {
    "evaluator": "benchmarks.mfa_bench.evaluator",
    "msmt17": "benchmarks.mfa_bench.msmt17",
    "synthetic": "benchmarks.mfa_bench.synthetic",
    "loading": "benchmarks.mfa_bench.loading",
    "train": "benchmarks.mfa_bench.train",
    "extract": "benchmarks.mfa_bench.extract",
    "models": "benchmarks.mfa_bench.models",
}
"""name: module."""


def run(
    name: str,
    benches: Mapping[str, str] = BENCHES,
    *,
    repeats: int = 5,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Run one bench.

    Args:
        name: a key of ``benches``.
        benches: the table; ``viz`` has its own.
        repeats: timed turns, for a bench that lets them be chosen.
        options: what the bench takes beside them.

    Returns:
        The bench's own keys, ``targets`` (each with whether it was met), ``seconds``.

    Raises:
        InputError: no such bench, or an option it does not take.
    """
    if name not in benches:
        raise InputError(f"no bench {name!r}; there are {', '.join(benches)} and all")
    if repeats < 1:
        raise InputError(f"repeats must be 1 or more, got {repeats}")
    module = importlib.import_module(benches[name])
    takes = inspect.signature(module.run).parameters
    chosen = {**({"repeats": repeats} if "repeats" in takes else {}), **(options or {})}
    for option in chosen:
        if option not in takes:
            raise InputError(f"bench {name} has no option {option!r}")
    start = time.perf_counter()
    measured: dict[str, Any] = module.run(**chosen)
    return {
        **measured,
        "targets": {
            key: {"bound": f"{sign} {bound:g}", "met": _met(measured[key], sign, bound)}
            for key, (sign, bound) in getattr(module, "TARGETS", {}).items()
        },
        "seconds": round(time.perf_counter() - start, 1),
    }


def run_all(benches: Mapping[str, str] = BENCHES, *, repeats: int) -> dict[str, Any]:
    """Run every bench of the table; one that cannot run says why under ``error``."""
    measured: dict[str, Any] = {}
    for name in benches:
        print(f"bench {name} ...", file=sys.stderr)
        try:
            measured[name] = run(name, benches, repeats=repeats)
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
