"""MFA: train, score and understand a multi-branch person re-identification network.

Names are loaded on first use, so that ``mfa --help`` needs no PyTorch.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "InputError": "mfa.errors",
    "Config": "mfa.config",
    "Features": "mfa.records",
    "ReidDataset": "mfa.records",
    "build_model": "mfa.models",
    "evaluate": "mfa.inference.evaluate",
    "fit": "mfa.training.fit",
    "load_dataset": "mfa.datasets",
    "open_run": "mfa.runs.run",
    "score": "mfa.retrieval.metrics",
    "untrained": "mfa.runs.run",
}
"""Where each public name lives; submodules (``mfa.presets``) are found by import."""

__all__ = sorted([*_HOME, "presets", "__version__"])


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if name == "presets":
        return importlib.import_module("mfa.presets")
    raise AttributeError(f"module 'mfa' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
