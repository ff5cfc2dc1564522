"""Programs of ``torch.export``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mfa.errors import InputError
from mfa.inference.external.embedder import FACTS, Opened


def load(path: Path) -> Opened:
    """Open a program.

    A program holds operators and tensors, no Python code.
    """
    said = {FACTS: ""}  # the file that the program carries beside it is read into this
    try:
        program = torch.export.load(str(path), extra_files=said)
        module = program.module()
    except Exception as error:  # zip, JSON and schema errors of several kinds
        raise InputError(
            f"{path} is no torch.export program",
            "write one with torch.export.save; weights alone go through `mfa import-weights`",
        ) from error
    pictures = _pictures(program)
    shape = (None,) * 4 if pictures is None else pictures.shape
    sides = [side if isinstance(side, int) else None for side in (shape[0], *shape[2:])]
    whole = pictures is not None and pictures.dtype == torch.uint8
    return Opened.of(as_compute(module), sides, said[FACTS], whole)


def as_compute(network: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Arrays in, arrays out; of several outputs the first matrix."""

    @torch.inference_mode()
    def compute(values: np.ndarray) -> np.ndarray:
        found = network(torch.from_numpy(values))
        if isinstance(found, dict):
            found = tuple(found.values())
        if isinstance(found, tuple | list):
            found = next((x for x in found if isinstance(x, torch.Tensor) and x.ndim == 2), None)
        if not isinstance(found, torch.Tensor):
            raise InputError("the model gives no matrix of vectors among its outputs")
        array: np.ndarray = found.float().cpu().numpy()
        return array

    return compute


def _pictures(program: Any) -> torch.Tensor | None:
    """A stand-in for the pictures that a program takes; None where it takes none."""
    wanted = set(program.graph_signature.user_inputs)
    values = (
        node.meta["val"]
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in wanted
    )
    return next((value for value in values if value.ndim == 4), None)
